//! The codings of one body, one behind another.

use std::fmt;
use std::ops::Range;

use super::codings::Decoders;
use super::decoder::{Decoder, Malformed};
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;

/// More codings than this on one body are nobody's need (row V116).
const MOST: usize = 5;
/// How much each coding makes in one step.
const ROOM: usize = 32 * 1024;
/// Up to here a body may grow as it likes.
const HARMLESS: u64 = 1024 * 1024;

/// What a `Content-Encoding` header names, being undone. It holds at most 32 KiB for each coding, besides
/// what the coding's own window takes, and nothing back of what its server has flushed.
///
/// Level-triggered like all machines here: what is [`ready`](Self::ready) stays until it is
/// [consumed](Self::consume).
pub struct BodyDecoder {
    /// Outermost first: the way the bytes go.
    stages: Vec<Stage>,
    taken: u64,
    made: u64,
    /// How many of them were dropped, since they are beyond a limit.
    dropped: u64,
    /// How many times its size a body may grow by.
    most_growth: Option<u32>,
    /// The stage that has met what is malformed. What came before that is given out first.
    broken: Option<(usize, Malformed)>,
}

struct Stage {
    name: Box<str>,
    decoder: Box<dyn Decoder>,
    output: Box<[u8]>,
    ready: Range<usize>,
}

impl BodyDecoder {
    /// The decoders for a body with these `Content-Encoding` lines. `None` if there is nothing to undo:
    /// no coding is named but `identity`, or one that is not known, and then the body is handed out as it
    /// comes (row P148).
    ///
    /// # Errors
    /// [`Kind::TooManyCodings`] beyond five.
    pub fn of<'a>(codings: &Decoders, lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<Self>> {
        let names = lines.into_iter().flat_map(|line| line.split(|byte| *byte == b','));
        let names = names.map(<[u8]>::trim_ascii);
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
        // They are named in the order in which they were applied.
        stages.reverse();
        Ok(Some(Self { stages, taken: 0, made: 0, dropped: 0, most_growth: None, broken: None }))
    }

    /// Guards against bodies that grow to more than so many times their size, beyond 1 MiB.
    #[must_use]
    pub fn with_most_growth(mut self, times: Option<u32>) -> Self {
        self.most_growth = times;
        self
    }

    /// Decodes until something is [`ready`](Self::ready) or `input` is used up; says how much of it was taken.
    ///
    /// # Errors
    /// [`Kind::BadCoding`] for input that is malformed, once all that came before it is consumed: it stays an error.
    /// [`Kind::CodingGrowth`] for a body that grows too much.
    pub fn push(&mut self, input: &[u8]) -> Result<usize> {
        let mut taken = 0;
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

    fn check(&self) -> Result<()> {
        match &self.broken {
            Some((at, malformed)) => Err(bad(&self.stages[*at].name, malformed)),
            None => Ok(()),
        }
    }

    /// Every stage once, the last one first; how much of the input was taken, and whether anything moved.
    fn step(&mut self, input: &[u8]) -> Result<(usize, bool)> {
        let (mut taken, mut has_moved) = (0, false);
        // Nothing comes out of a broken stage any more; those behind it may still hold something back.
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
                    // Whatever is wrong before it, this is nearer to the reader, and comes first.
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

    /// What was decoded and not consumed.
    #[must_use]
    pub fn ready(&self) -> &[u8] {
        self.stages.last().map_or(&[], |last| &last.output[last.ready.clone()])
    }

    /// The first `n` bytes of what was ready are read.
    pub fn consume(&mut self, n: usize) {
        if let Some(last) = self.stages.last_mut() {
            last.ready.start = (last.ready.start + n).min(last.ready.end);
        }
    }

    /// Drops what is ready beyond the first `most` bytes of the whole body.
    pub(crate) fn drop_beyond(&mut self, most: u64) {
        let Some(last) = self.stages.last_mut() else { return };
        let beyond = self.made.saturating_sub(most).saturating_sub(self.dropped);
        let beyond =
            usize::try_from(beyond).map_or_else(|_| last.ready.len(), |beyond| beyond.min(last.ready.len()));
        last.ready.end -= beyond;
        self.dropped += beyond as u64;
    }

    /// All input was pushed and all that was ready consumed: whether the body may end here.
    ///
    /// # Errors
    /// [`Kind::BadCoding`] if it may not: a coded body that was cut short is never a success.
    pub fn finish(&self) -> Result<()> {
        self.check()?;
        // Nothing of a body is nothing of its contents.
        if self.taken == 0 {
            return Ok(());
        }
        match self.stages.iter().find(|stage| !stage.decoder.is_complete()) {
            Some(stage) => Err(bad(&stage.name, &"it ends too soon".into())),
            None => Ok(()),
        }
    }

    /// How many bytes were decoded.
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
