//! Import cycles: sets of files that all reach each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::arrows::Arrows;

pub(crate) type Ring = BTreeSet<String>;

/// The cycles of more than one file, in the order of their first files.
pub(crate) fn rings(arrows: &Arrows) -> Vec<Ring> {
    let reached: BTreeMap<&String, Ring> = arrows.keys().map(|file| (file, reached(arrows, file))).collect();
    let mut rings: Vec<Ring> = Vec::new();
    for (&file, to) in &reached {
        if rings.iter().any(|ring| ring.contains(file)) {
            continue;
        }
        let is_back = |other: &&String| reached.get(other).is_some_and(|to| to.contains(file));
        let ring: Ring = to.iter().filter(is_back).cloned().collect();
        if !ring.is_empty() {
            rings.push(ring);
        }
    }
    rings
}

/// The files that `from` reaches. `from` itself is included only if a cycle leads back to it.
fn reached(arrows: &Arrows, from: &str) -> Ring {
    let mut reached = Ring::new();
    let mut waiting = vec![from];
    while let Some(file) = waiting.pop() {
        for to in arrows.get(file).into_iter().flat_map(|to| to.keys()) {
            if reached.insert(to.clone()) {
                waiting.push(to);
            }
        }
    }
    reached
}

/// The imports inside a cycle, one per line.
pub(crate) fn inside(arrows: &Arrows, ring: &Ring) -> String {
    let mut lines = String::new();
    for (from, to) in ring.iter().filter_map(|from| arrows.get_key_value(from)) {
        for (to, names) in to.iter().filter(|(to, _)| ring.contains(*to)) {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            lines += &format!("    {from} -> {to} ({})\n", names.join(", "));
        }
    }
    lines
}
