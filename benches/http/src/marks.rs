//! Marks: the largest allowed cost of a request, which a gate checks.

use crate::Outcome;

/// The factor by which a count may exceed its mark. Counts differ between runs and compilers.
const SLACK: f64 = 1.02;
/// The heading above the table of marks.
const HEADING: &str = "## Marks";

/// A measured cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Instructions in user mode, for a request of `small`.
    Instructions,
    /// Calls of the allocator that ask for memory.
    HeapCalls,
    /// The same, for a request of `redirects`.
    HeapCallsOfRedirects,
    /// System calls of a request.
    SystemCalls,
    /// KiB of the heap for an idle connection.
    IdleKib,
}

impl Measure {
    const ALL: [Self; 5] =
        [Self::Instructions, Self::HeapCalls, Self::HeapCallsOfRedirects, Self::SystemCalls, Self::IdleKib];

    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Instructions => "user instructions",
            Self::HeapCalls => "calls of the allocator",
            Self::HeapCallsOfRedirects => "calls of the allocator, after 10 redirects",
            Self::SystemCalls => "system calls",
            Self::IdleKib => "KiB an idle connection",
        }
    }

    /// The workload whose requests are counted.
    pub fn workload(self) -> &'static str {
        match self {
            Self::HeapCallsOfRedirects => "redirects",
            _ => "small",
        }
    }
}

/// One mark.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// The measured cost.
    pub measure: Measure,
    /// The client.
    pub client: String,
    /// The largest allowed value.
    pub most: f64,
}

impl Mark {
    /// Reads the marks of a README: the first table under their heading. Its columns are clients,
    /// its rows measures. Rows of other measures and cells without a number are skipped.
    ///
    /// # Errors
    ///
    /// If there are none.
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

    /// Whether a count is within the mark.
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
