//! What is asked.

use anyhow::{Context, ensure};
use bytes::Bytes;
use std::path::Path;

/// Framed checks that take turns without end.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    frames: Vec<Bytes>,
}

impl Requests {
    /// Reads a file of frames, one after the other. None of them is copied when it is sent.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let whole = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
        let mut rest = Bytes::from(whole);
        let mut frames = Vec::new();
        while !rest.is_empty() {
            let length = frame_length(&rest).filter(|length| *length <= rest.len());
            let length = length.with_context(|| format!("{}: half a frame", file.display()))?;
            frames.push(rest.split_to(length));
        }
        ensure!(!frames.is_empty(), "{} holds no check", file.display());
        Ok(Self { frames })
    }

    /// The check of this turn.
    pub(crate) fn at(&self, turn: u64) -> Bytes {
        let count = self.frames.len() as u64;
        let place = usize::try_from(turn % count).unwrap_or_default();
        self.frames.get(place).cloned().unwrap_or_default()
    }
}

/// A byte that says whether it is compressed, four of length, the message.
fn frame_length(bytes: &[u8]) -> Option<usize> {
    let length: [u8; 4] = bytes.get(1..5)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(length)).ok()?.checked_add(5)
}
