//! The data types of SSH (RFC 4251 §5), taken off the front of a message. `None` is a message that
//! ends too soon or is not written as it has to be.

/// What is left of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wire<'b>(&'b [u8]);

impl<'b> Wire<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn left(self) -> usize {
        self.0.len()
    }

    /// The end of the message, if this is it.
    pub(super) fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    pub(super) fn uint32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn uint64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// Bytes with their length before them.
    pub(super) fn string(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.uint32()?).ok()?;
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    /// A number above zero, most significant byte first, without the zero that shows its sign.
    pub(super) fn positive(&mut self) -> Option<&'b [u8]> {
        let number = self.string()?;
        match number.split_first()? {
            (0, digits) => digits.first().is_some_and(|high| *high >= 0x80).then_some(digits),
            (high, _) => (*high < 0x80).then_some(number),
        }
    }
}
