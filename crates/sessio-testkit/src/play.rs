//! Plays the steps of a script on a connection.

use crate::recording::End;
use crate::request::Request;
use crate::script::{Connection, Sending, Step};
use crate::wire::{ConnectionError, Wire};

/// The next state of a connection whose steps have been played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// The script did not decide: the connection stays open.
    Open,
    /// The routes take over.
    Routes,
    /// The server has to close it with this end.
    Over(End),
}

pub(crate) fn play(wire: &mut Wire, connection: &Connection) -> Result<After, ConnectionError> {
    let mut head: Option<Request> = None;
    for step in connection.steps() {
        match step {
            Step::ReadHead => head = Some(wire.read_head()?),
            Step::ReadBody => {
                if let Some(mut request) = head.take() {
                    wire.read_body(&mut request)?;
                }
            }
            Step::Read(count) => {
                while wire.pending().len() < *count {
                    wire.fill()?;
                }
                wire.skip(*count);
            }
            Step::ReadToEnd => match read_to_end(wire) {
                End::Client => {}
                end => return Err(end.into()),
            },
            Step::Send(sending) => send(wire, sending)?,
            Step::HalfClose => wire.half_close()?,
            Step::Stall => wire.recorder().wait_for_gate(wire.number(), None)?,
            Step::Gate(name) => wire.recorder().wait_for_gate(wire.number(), Some(name))?,
            Step::Close => {
                wire.read_what_is_there();
                return Ok(After::Over(End::Server));
            }
            Step::Reset => {
                wire.ensure_unread()?;
                return Ok(After::Over(End::ServerReset));
            }
            Step::Routes => return Ok(After::Routes),
        }
        wire.recorder().step_done(wire.number());
    }
    Ok(After::Open)
}

/// Records received bytes until the connection ends.
pub(crate) fn read_to_end(wire: &mut Wire) -> End {
    loop {
        wire.skip(wire.pending().len());
        if let Err(end) = wire.fill() {
            return end;
        }
    }
}

fn send(wire: &Wire, sending: &Sending) -> Result<(), End> {
    let pieces = sending.pieces();
    for _ in 0..sending.times {
        for piece in &pieces {
            wire.send(piece)?;
            if sending.pace.is_zero() {
                // The write woke the reader of this piece. The yield lets it run before the next
                // piece is sent.
                std::thread::yield_now();
            } else {
                wire.sleep(sending.pace);
            }
        }
        if pieces.is_empty() {
            break;
        }
    }
    Ok(())
}
