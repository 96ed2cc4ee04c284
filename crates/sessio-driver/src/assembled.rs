//! A form of several parts while it is sent.

use std::io;
use std::task::{Context, Poll, ready};

use sessio::multipart::{Assembly, Wanted};
use sessio::{Error, Kind, Result, escape};

use crate::source::Source;

/// A form while it is sent: the bytes between its parts, and the sources in the order of the parts.
pub(crate) struct Assembled {
    assembly: Assembly,
    sources: Vec<Box<dyn Source>>,
    /// The number of sources that are back at their start.
    rewound: usize,
}

impl Assembled {
    pub(crate) fn new(assembly: Assembly, sources: Vec<Box<dyn Source>>) -> Self {
        Self { assembly, sources, rewound: 0 }
    }

    /// Fills as much of `room` as possible now; 0 is the end.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<Result<usize>> {
        let mut filled = 0;
        while filled < room.len() {
            let room = &mut room[filled..];
            let n = match self.assembly.wanted() {
                Wanted::End => break,
                Wanted::Bytes(bytes) => {
                    let n = bytes.len().min(room.len());
                    room[..n].copy_from_slice(&bytes[..n]);
                    self.assembly.took(n);
                    n
                }
                Wanted::Source { index, most } => {
                    let most = usize::try_from(most).map_or(room.len(), |most| most.min(room.len()));
                    let Some(source) = self.sources.get_mut(index) else {
                        let error =
                            Error::new(Kind::BodySource).with_detail("a part of the form has no source");
                        return Poll::Ready(Err(error));
                    };
                    match source.poll_fill(cx, &mut room[..most]) {
                        Poll::Ready(Ok(0)) => {
                            self.assembly.ended()?;
                            0
                        }
                        Poll::Ready(Ok(n)) => {
                            let n = n.min(most);
                            self.assembly.supplied(n)?;
                            n
                        }
                        Poll::Ready(Err(error)) => return Poll::Ready(Err(self.failed(error))),
                        // The bytes before a slow source do not wait for it.
                        Poll::Pending if filled > 0 => break,
                        Poll::Pending => return Poll::Pending,
                    }
                }
            };
            filled += n;
        }
        Poll::Ready(Ok(filled))
    }

    pub(crate) fn poll_rewind(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(source) = self.sources.get_mut(self.rewound) {
            ready!(source.poll_rewind(cx))?;
            self.rewound += 1;
        }
        self.rewound = 0;
        self.assembly.rewind();
        Poll::Ready(Ok(()))
    }

    #[cold]
    fn failed(&self, error: io::Error) -> Error {
        let name = escape(self.assembly.name().unwrap_or_default().as_bytes());
        Error::new(Kind::BodySource).with_detail(format!("that of the part \"{name}\"")).with_source(error)
    }
}
