//! The decoder of one body, for several codings in sequence.

use std::fmt;
use std::ops::Range;

use super::codings::Decoders;
use super::decoder::{Decoder, Malformed};
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::message::list::elements;

/// Maximal number of codings of one body (row V116): more are never needed.
const MOST: usize = 5;
/// Bytes that each coding writes in one step.
const ROOM: usize = 32 * 1024;
/// Body size in bytes up to which growth is unlimited.
const HARMLESS: u64 = 1024 * 1024;

/// Decodes the codings that a `Content-Encoding` field names.
///
/// It holds at most 32 KiB for each coding, besides the coding's own window. It holds back no data
/// that the server has flushed.
///
/// The decoder is level-triggered: [`ready`](Self::ready) bytes stay until they are
/// [consumed](Self::consume).
pub struct BodyDecoder {
    /// Outermost coding first, in the direction of the bytes. None if the body is not coded.
    stages: Vec<Stage>,
    /// Bytes that were decoded ahead of the reader, and the number of those that it has read.
    ahead: Vec<u8>,
    ahead_read: usize,
    taken: u64,
    made: u64,
    /// Bytes among them that exceed a limit and were dropped.
    dropped: u64,
    /// The maximal ratio of decoded to coded size.
    most_growth: Option<u32>,
    /// The stage that has met malformed input. Data before the fault is returned first.
    broken: Option<(usize, Malformed)>,
}

struct Stage {
    name: Box<str>,
    decoder: Box<dyn Decoder>,
    output: Box<[u8]>,
    ready: Range<usize>,
}

impl BodyDecoder {
    /// Builds the decoders for a body with these `Content-Encoding` lines.
    ///
    /// `None` if there is nothing to decode: the lines name no coding but `identity`. A body with
    /// an unknown coding is returned as it was received, too (row P148).
    ///
    /// # Errors
    /// [`Kind::TooManyCodings`] for more than five codings.
    pub fn of<'a>(codings: &Decoders, lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<Self>> {
        let names = lines.into_iter().flat_map(elements);
        let names = names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity"));
        let (mut stages, mut count, mut is_known) = (Vec::new(), 0, true);
        for name in names {
            count += 1;
            if count > MOST {
                return Err(Kind::TooManyCodings.into());
            }
            let known = str::from_utf8(name).ok().and_then(|name| Some((name, codings.decoder(name)?)));
            match known {
                Some((name, decoder)) => stages.push(Stage::new(name, decoder)),
                None => is_known = false,
            }
        }
        if stages.is_empty() || !is_known {
            return Ok(None);
        }
        // The field lists codings in the order in which they were applied.
        stages.reverse();
        Ok(Some(Self::new(stages)))
    }

    fn new(stages: Vec<Stage>) -> Self {
        let (ahead, ahead_read) = (Vec::new(), 0);
        Self { stages, ahead, ahead_read, taken: 0, made: 0, dropped: 0, most_growth: None, broken: None }
    }

    /// A decoder of a body that is not coded, to read it [ahead](Self::push_ahead).
    pub(crate) fn identity() -> Self {
        Self::new(Vec::new())
    }

    /// Whether the body is not coded.
    pub(crate) fn is_identity(&self) -> bool {
        self.stages.is_empty()
    }

    /// Limits the growth of the body to this ratio, beyond 1 MiB.
    #[must_use]
    pub fn with_most_growth(mut self, times: Option<u32>) -> Self {
        self.most_growth = times;
        self
    }

    /// Decodes until some bytes are [`ready`](Self::ready) or `input` is used up. Returns the
    /// number of bytes taken.
    ///
    /// # Errors
    ///
    /// - [`Kind::BadCoding`] for malformed input, once all data before it is consumed. The error is
    ///   permanent.
    /// - [`Kind::CodingGrowth`] for a body that grows too much.
    pub fn push(&mut self, input: &[u8]) -> Result<usize> {
        let mut taken = 0;
        if self.is_identity() && self.ready().is_empty() {
            taken = input.len().min(ROOM);
            (self.ahead_read, self.taken) = (0, self.taken + taken as u64);
            self.made = self.taken;
            self.ahead.clear();
            self.ahead.extend_from_slice(&input[..taken]);
            return Ok(taken);
        }
        while self.ready().is_empty() {
            let moved = self.step(&input[taken..])?;
            taken += moved.0;
            if !moved.1 {
                self.check()?;
                break;
            }
        }
        Ok(taken)
    }

    /// Decodes until so many bytes are [`ready`](Self::ready) or `input` is used up, before the reader
    /// has consumed any. Returns the number of bytes taken.
    ///
    /// # Errors
    /// As [`push`](Self::push). It comes again there, after the ready bytes.
    pub(crate) fn push_ahead(&mut self, input: &[u8], most: usize) -> Result<usize> {
        let (mut ahead, mut taken) = (std::mem::take(&mut self.ahead), 0);
        let mut pushed = Ok(());
        while ahead.len() < most {
            match self.push(&input[taken..]) {
                Ok(n) => taken += n,
                Err(fault) => {
                    pushed = Err(fault);
                    break;
                }
            }
            let made = self.ready();
            if made.is_empty() {
                break;
            }
            ahead.extend_from_slice(made);
            let n = made.len();
            self.consume(n);
        }
        (self.ahead, self.ahead_read) = (ahead, 0);
        pushed.map(|()| taken)
    }

    fn check(&self) -> Result<()> {
        match &self.broken {
            Some((at, malformed)) => Err(bad(&self.stages[*at].name, malformed)),
            None => Ok(()),
        }
    }

    /// Runs every stage once, the last one first. Returns the bytes taken, and whether any byte
    /// moved.
    fn step(&mut self, input: &[u8]) -> Result<(usize, bool)> {
        let (mut taken, mut has_moved) = (0, false);
        // A broken stage produces no more; stages behind it may still hold data back.
        let first = self.broken.as_ref().map_or(0, |(at, _)| at + 1);
        for at in (first..self.stages.len()).rev() {
            let (before, from) = self.stages.split_at_mut(at);
            let stage = &mut from[0];
            if !stage.ready.is_empty() {
                continue;
            }
            let input = before.last().map_or(input, |before| &before.output[before.ready.clone()]);
            let moved = match stage.decoder.decode(input, &mut stage.output) {
                Ok(moved) => moved,
                Err(malformed) => {
                    // This error replaces an earlier one: it is nearer to the reader, and comes
                    // first.
                    self.broken = Some((at, malformed));
                    return Ok((taken, true));
                }
            };
            stage.ready = 0..moved.made.min(stage.output.len());
            let used = moved.taken.min(input.len());
            match before.last_mut() {
                Some(before) => before.ready.start += used,
                None => taken = used,
            }
            has_moved |= used > 0 || moved.made > 0;
            if at + 1 == self.stages.len() {
                self.made += moved.made as u64;
            }
        }
        self.taken += taken as u64;
        let is_bomb = |times: u32| self.made > HARMLESS && self.made / u64::from(times) > self.taken;
        if self.most_growth.is_some_and(is_bomb) {
            return Err(Kind::CodingGrowth.into());
        }
        Ok((taken, has_moved))
    }

    /// Decoded bytes that were not consumed.
    #[must_use]
    pub fn ready(&self) -> &[u8] {
        if self.ahead_read < self.ahead.len() {
            return &self.ahead[self.ahead_read..];
        }
        self.stages.last().map_or(&[], |last| &last.output[last.ready.clone()])
    }

    /// Marks the first `n` ready bytes as read.
    pub fn consume(&mut self, n: usize) {
        if self.ahead_read < self.ahead.len() {
            self.ahead_read = (self.ahead_read + n).min(self.ahead.len());
            return;
        }
        if let Some(last) = self.stages.last_mut() {
            last.ready.start = (last.ready.start + n).min(last.ready.end);
        }
    }

    /// Drops ready bytes beyond the first `most` bytes of the whole body.
    pub(crate) fn drop_beyond(&mut self, most: u64) {
        let beyond = self.made.saturating_sub(most).saturating_sub(self.dropped);
        let mut beyond = usize::try_from(beyond).unwrap_or(usize::MAX);
        if let Some(last) = self.stages.last_mut() {
            let cut = beyond.min(last.ready.len());
            last.ready.end -= cut;
            (beyond, self.dropped) = (beyond - cut, self.dropped + cut as u64);
        }
        let cut = beyond.min(self.ahead.len() - self.ahead_read);
        self.ahead.truncate(self.ahead.len() - cut);
        self.dropped += cut as u64;
    }

    /// Checks that the body may end here. Call it after all input was pushed and all ready bytes
    /// were consumed.
    ///
    /// # Errors
    /// [`Kind::BadCoding`] if it may not end: a truncated body is never a success.
    pub fn finish(&self) -> Result<()> {
        self.check()?;
        // An empty body has empty contents.
        if self.taken == 0 {
            return Ok(());
        }
        match self.stages.iter().find(|stage| !stage.decoder.is_complete()) {
            Some(stage) => Err(bad(&stage.name, &"it ends too soon".into())),
            None => Ok(()),
        }
    }

    /// Number of decoded bytes.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.made
    }
}

impl Stage {
    fn new(name: &str, decoder: Box<dyn Decoder>) -> Self {
        Self { name: name.into(), decoder, output: vec![0; ROOM].into(), ready: 0..0 }
    }
}

#[cold]
fn bad(name: &str, malformed: &Malformed) -> Fault {
    Fault::new(Kind::BadCoding).with_detail(format!("{name}: {malformed}"))
}

impl fmt::Debug for BodyDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.stages.iter().map(|stage| &stage.name);
        f.debug_struct("BodyDecoder").field("codings", &names.collect::<Vec<_>>()).finish_non_exhaustive()
    }
}
