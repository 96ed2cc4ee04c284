//! Imports between files: each imported name, resolved to the file that defines it.

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::Crate;

/// The names that a file uses of another file: from, to, names.
pub(crate) type Arrows = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Module(usize),
    /// An item that a module defines, by its name there.
    Item(usize, String),
    /// An item of another crate.
    Outside,
    /// The module has no such name.
    Unknown,
}

impl Crate {
    pub(crate) fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (from, module) in self.modules.iter().enumerate() {
            let imports = module.imports.iter().map(|import| (&import.path, import.name == "*"));
            for (path, is_glob) in imports.chain(module.paths.iter().map(|path| (path, false))) {
                let (to, name) = match self.resolve(from, path, &mut BTreeSet::new()) {
                    Found::Item(to, name) => (to, name),
                    Found::Module(to) if is_glob => (to, "*".to_owned()),
                    _ => continue,
                };
                let to = &self.modules[to].file;
                if *to != module.file {
                    let from = arrows.entry(module.file.clone()).or_default();
                    from.entry(to.clone()).or_default().insert(name);
                }
            }
        }
        arrows
    }

    /// Resolves a path from the module that contains it.
    fn resolve(&self, from: usize, path: &[String], seen: &mut BTreeSet<(usize, String)>) -> Found {
        let mut module = from;
        let mut rest = path;
        let mut is_ours = false;
        while let [first, after @ ..] = rest {
            module = match first.as_str() {
                "crate" => 0,
                "self" => module,
                "super" => self.modules[module].parent.unwrap_or(0),
                _ => break,
            };
            (rest, is_ours) = (after, true);
        }
        while let [name, after @ ..] = rest {
            match self.member(module, name, after.is_empty(), seen) {
                Found::Module(child) => module = child,
                // A macro may have made it. Otherwise a bare name is of another crate, or of the
                // prelude.
                Found::Unknown if is_ours => return Found::Item(module, name.clone()),
                Found::Unknown => return Found::Outside,
                found => return found,
            }
            (rest, is_ours) = (after, true);
        }
        Found::Module(module)
    }

    /// Looks up one name of a module. Before `::` it is the module of that name. At the end of a
    /// path it is the item.
    fn member(&self, of: usize, name: &str, is_last: bool, seen: &mut BTreeSet<(usize, String)>) -> Found {
        let module = &self.modules[of];
        let child = module.children.iter().find(|(it, _)| it == name).map(|(_, child)| Found::Module(*child));
        let item = module.defined.contains(name).then(|| Found::Item(of, name.to_owned()));
        let (first, last) = if is_last { (item, child) } else { (child, item) };
        if let Some(found) = first {
            return found;
        }
        // A name whose lookup leads to itself is not of this crate.
        let key = (of, name.to_owned());
        if !seen.insert(key.clone()) {
            return last.unwrap_or(Found::Unknown);
        }
        let found = self.imported(of, name, is_last, seen);
        seen.remove(&key);
        last.filter(|_| found == Found::Unknown).unwrap_or(found)
    }

    fn imported(&self, of: usize, name: &str, is_last: bool, seen: &mut BTreeSet<(usize, String)>) -> Found {
        let (globs, named): (Vec<_>, Vec<_>) =
            self.modules[of].imports.iter().partition(|import| import.name == "*");
        let named = named.into_iter().filter(|import| import.name == name);
        let rank = |found: &Found| match found {
            Found::Item(..) => u8::from(!is_last),
            Found::Module(_) => u8::from(is_last),
            Found::Outside | Found::Unknown => 2,
        };
        if let Some(found) = named.map(|import| self.resolve(of, &import.path, seen)).min_by_key(rank) {
            return found;
        }
        for import in globs {
            if let Found::Module(of) = self.resolve(of, &import.path, seen) {
                match self.member(of, name, is_last, seen) {
                    Found::Unknown => {}
                    found => return found,
                }
            }
        }
        Found::Unknown
    }
}
