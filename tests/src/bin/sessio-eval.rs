//! The core as a filter of JSON lines: see [`sessio_tests::eval`].
#![forbid(unsafe_code)]

use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

use sessio_tests::eval::What;

const USAGE: &str = "\
usage: sessio-eval WHAT < cases > answers
  jar [--prefixes bis|layered]    what a jar sends after these Set-Cookie lines
  date                            what a cookie's date means
  prepare                         what a session makes of a request
  redirect                        what follows from a redirect
  response                        what bytes mean as a response
  exchange                        a whole call against a scripted world
  mount                           the mount that applies to a URL
  retry                           the decision after each attempt of a call
One JSON object a line, one answer a line.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let what = match What::from_arguments(&arguments) {
        Ok(what) => what,
        Err(why) => {
            eprintln!("sessio-eval: {why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match filter(&what) {
        // The reader of the output may stop reading.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("sessio-eval: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn filter(what: &What) -> io::Result<()> {
    let mut cases = BufReader::with_capacity(64 * 1024, io::stdin().lock());
    let mut answers = BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    while cases.read_until(b'\n', &mut line)? > 0 {
        writeln!(answers, "{}", what.answer(line.strip_suffix(b"\n").unwrap_or(&line)))?;
        line.clear();
        // Flushes if no further line is buffered, so an interactive caller gets its result at once.
        // A file is processed in bulk.
        if cases.buffer().is_empty() {
            answers.flush()?;
        }
    }
    answers.flush()
}
