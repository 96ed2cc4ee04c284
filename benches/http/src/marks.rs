//! What a request may cost at most: the marks that a gate holds.

use crate::Outcome;

/// How far a count may lie above its mark: they differ from run to run, and from compiler to compiler.
const SLACK: f64 = 1.02;
/// Under which heading they stand.
const HEADING: &str = "## Marks";

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Instructions in user mode, for a request of `small`.
    Instructions,
    /// Calls of the allocator that ask for memory.
    HeapCalls,
    /// System calls.
    SystemCalls,
    /// KiB of the heap for a connection that idles.
    IdleKib,
}

impl Measure {
    const ALL: [Self; 4] = [Self::Instructions, Self::HeapCalls, Self::SystemCalls, Self::IdleKib];

    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Instructions => "user instructions",
            Self::HeapCalls => "calls of the allocator",
            Self::SystemCalls => "system calls",
            Self::IdleKib => "KiB an idle connection",
        }
    }
}

/// One mark.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Of what.
    pub measure: Measure,
    /// Of which client.
    pub client: String,
    /// What it may be at most.
    pub most: f64,
}

impl Mark {
    /// The marks of a README: the first table under their heading, whose columns are clients and whose rows are
    /// measures. Rows of other measures, and cells without a number, say nothing here.
    ///
    /// # Errors
    /// If there is none.
    pub fn all_in(text: &str) -> Outcome<Vec<Self>> {
        let section = text.split(HEADING).nth(1).unwrap_or_default();
        let section = section.split("\n## ").next().unwrap_or_default();
        let lines = section.lines().skip_while(|line| !line.starts_with('|'));
        let mut rows = lines.take_while(|line| line.starts_with('|')).map(cells);
        let head = rows.next().unwrap_or_default();
        let mut marks = Vec::new();
        for row in rows {
            let measure = Measure::ALL.into_iter().find(|measure| row.first() == Some(&measure.name()));
            let Some(measure) = measure else { continue };
            for (client, cell) in head.iter().zip(&row).skip(1) {
                if let Ok(most) = cell.replace(',', "").parse() {
                    marks.push(Self { measure, client: (*client).to_owned(), most });
                }
            }
        }
        if marks.is_empty() { Err(format!("no marks under {HEADING}").into()) } else { Ok(marks) }
    }

    /// Whether what was counted is within it.
    pub fn holds(&self, counted: f64) -> bool {
        counted <= self.most * SLACK
    }
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_and_what_lies_above_it_is_missed() {
        let text = "# x\n\n## Marks\n\n| `small` | sessio-a | b |\n|---|--:|--:|\n\
                    | user instructions | 1,000 | |\n| something else | 1 | 2 |\n\
                    | system calls | 3 | 2.5 |\n\n| | now | end |\n| user instructions | 7 | 6 |\n\n\
                    ## y\n\n| user instructions | 1 | 1 |\n";
        let marks = Mark::all_in(text).unwrap();
        let shown: Vec<_> = marks.iter().map(|m| (m.measure, &*m.client, m.most)).collect();
        assert_eq!(
            shown,
            [
                (Measure::Instructions, "sessio-a", 1000.0),
                (Measure::SystemCalls, "sessio-a", 3.0),
                (Measure::SystemCalls, "b", 2.5),
            ]
        );
        assert!(marks[0].holds(1020.0));
        assert!(!marks[0].holds(1021.0));
        assert!(Mark::all_in("# x").is_err());
    }
}
