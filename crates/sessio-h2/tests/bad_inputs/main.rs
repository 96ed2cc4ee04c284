//! Invalid and hostile input of a server, and the required outcome.
//!
//! A row has an id, the CVE ids of similar attacks, a script and an outcome:
//!
//! - the connection fails with a code,
//! - one stream fails with a code, and the connection stays usable,
//! - or the input is tolerated.
//!
//! Each script is received whole, byte by byte, and in two pieces at many positions.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod client;
mod connection_rows;
mod script;
mod stream_rows;

use std::collections::BTreeSet;

use client::Client;
use script::{Outcome, Row};
use sessio_h2::ErrorCode;

fn rows() -> Vec<Row> {
    [connection_rows::rows(), stream_rows::rows()].concat()
}

#[test]
fn there_are_at_least_120_rows_each_with_an_id_of_its_own() {
    let rows = rows();
    let ids: BTreeSet<_> = rows.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), rows.len(), "an id stands twice");
    assert!(rows.len() >= 120, "{}", rows.len());
    for row in &rows {
        println!("{} {:?} {}", row.id, row.outcome, row.cves);
        assert!(row.cves.split_whitespace().all(|id| id.starts_with("CVE-")), "{}", row.id);
    }
}

#[test]
fn each_row_has_its_outcome_however_its_bytes_are_cut() {
    for row in rows() {
        check(&row, usize::MAX, 0);
        check(&row, 1, 0);
        let length = row.length();
        // Splits the bytes in two, at each position of a short script and at about 40 of a long
        // one.
        for first in (1..length).step_by((length / 40).max(1)) {
            check(&row, usize::MAX, first);
        }
    }
}

/// Runs a row. Its first `first` bytes arrive in one piece, the rest in pieces of `piece` bytes.
fn check(row: &Row, piece: usize, first: usize) {
    let mut client = Client::new();
    let context = format!("{}, pieces of {piece}, the first of {first}", row.id);
    for step in row.steps() {
        client.play(step, piece, first);
    }
    match row.outcome {
        Outcome::Tolerated => {
            assert_eq!(client.error(), None, "{context}");
            assert!(client.failures().is_empty(), "{context}: {:?}", client.failures());
            client.works(&context);
        }
        Outcome::Stream(id, code, kind) => {
            assert_eq!(client.error(), None, "{context}");
            let failures = client.failures();
            assert_eq!(failures.len(), 1, "{context}: {failures:?}");
            let (failed, error) = failures[0];
            assert_eq!((failed, error.code(), error.kind()), (id, code, kind), "{context}");
            client.works(&context);
        }
        Outcome::Connection(code, kind) => {
            let error = client.error().unwrap_or_else(|| panic!("{context}: it goes on"));
            assert_eq!((error.code(), error.kind()), (code, kind), "{context}");
            assert!(client.is_over(), "{context}");
            // The peer receives a GOAWAY with the code, unless the transport has ended.
            let told = client.told();
            let expected = (code != ErrorCode::NO_ERROR || told.is_some()).then_some(code);
            assert_eq!(told, expected, "{context}");
        }
    }
    client.streams_end_once(&context);
}
