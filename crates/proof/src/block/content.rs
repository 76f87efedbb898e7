//! What a block holds once it is decoded.

use super::BlockError;
use super::varint::Cursor;

/// What an event says, beside its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// The data is here.
    Present {
        /// The salt of the data digest.
        salt: &'a [u8; 16],
        /// The data bytes.
        data: &'a [u8],
    },
    /// The data is withheld, on the ground given.
    Withheld {
        /// The ground.
        ground: &'a str,
    },
}

/// One event as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredEvent<'a> {
    /// Its position.
    pub position: u64,
    /// The header bytes: the leaf.
    pub header: &'a [u8],
    /// Salt and data, or why they are withheld.
    pub content: Content<'a>,
    /// Where the event belongs: `KEN|GCM-05a,GCM-10`, or `|…` without a country.
    pub route: &'a str,
}

/// A command as kept: its bytes, or their digest once they are erased or when it was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptCommand<'a> {
    /// The bytes as received.
    Bytes(&'a [u8]),
    /// Their SHA-256.
    Digest(&'a [u8; 32]),
}

/// One command of a submission part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredCommand<'a> {
    /// The command, or its digest.
    pub command: KeptCommand<'a>,
    /// Position of its first event; the block's first position when it made none.
    pub first_position: u64,
    /// How many events it made; 0 when it was refused.
    pub events: u32,
}

/// The part of a submission that stands in one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionPart<'a> {
    /// Position of the submission's first event: the same in all of its parts.
    pub first_position: u64,
    /// Index, in the submission, of this part's first command.
    pub first_index: u32,
    /// Count of commands in the whole submission.
    pub total: u32,
    /// Who submitted it.
    pub partner: &'a str,
    /// The signature header as received.
    pub signature: Option<&'a str>,
    /// This part's commands, in order.
    pub commands: Vec<StoredCommand<'a>>,
}

/// The decoded event section of a block; iterate it with [`Events::iter`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    pub(super) raw: Vec<u8>,
    pub(super) section_len: usize,
    pub(super) first_position: u64,
    pub(super) count: u16,
}

impl Events {
    /// Position of the first event.
    pub fn first_position(&self) -> u64 {
        self.first_position
    }

    /// Count of events.
    pub fn count(&self) -> u16 {
        self.count
    }

    /// The events in order. An item is an error, and the last one, where the section does not parse.
    pub fn iter(&self) -> EventIter<'_> {
        let section = self.raw.get(..self.section_len).unwrap_or(&self.raw);
        EventIter {
            cursor: Cursor::new(section),
            position: self.first_position,
            left: self.count,
            failed: false,
        }
    }
}

impl<'a> IntoIterator for &'a Events {
    type Item = Result<StoredEvent<'a>, BlockError>;
    type IntoIter = EventIter<'a>;

    fn into_iter(self) -> EventIter<'a> {
        self.iter()
    }
}

/// Iterator over an event section.
#[derive(Debug, Clone)]
pub struct EventIter<'a> {
    cursor: Cursor<'a>,
    position: u64,
    left: u16,
    failed: bool,
}

impl<'a> EventIter<'a> {
    fn event(&mut self) -> Result<StoredEvent<'a>, BlockError> {
        let header = self.cursor.prefixed()?;
        let content = match self.cursor.byte()? {
            0 => Content::Present {
                salt: self.cursor.array_ref()?,
                data: self.cursor.prefixed()?,
            },
            1 => Content::Withheld {
                ground: self.cursor.text()?,
            },
            _ => return Err(self.cursor.fault()),
        };
        let route = self.cursor.text()?;
        Ok(StoredEvent {
            position: self.position,
            header,
            content,
            route,
        })
    }
}

impl<'a> Iterator for EventIter<'a> {
    type Item = Result<StoredEvent<'a>, BlockError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if self.left == 0 {
            // Bytes nobody reads would be bytes nobody checks.
            self.failed = true;
            return (!self.cursor.rest.is_empty()).then(|| Err(self.cursor.fault()));
        }
        self.left -= 1;
        let event = self.event();
        self.failed = event.is_err();
        self.position = self.position.saturating_add(1);
        Some(event)
    }
}

/// A whole decoded block: its events and its submission parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    pub(super) events: Events,
}

impl Contents {
    /// The events.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// The events alone, whose memory a decoder takes back.
    pub fn into_events(self) -> Events {
        self.events
    }

    /// The submission parts in order.
    ///
    /// # Errors
    /// [`BlockError::Content`] when the section does not parse.
    pub fn submissions(&self) -> Result<Vec<SubmissionPart<'_>>, BlockError> {
        let section = self
            .events
            .raw
            .get(self.events.section_len..)
            .unwrap_or(&[]);
        let mut cursor = Cursor::new(section);
        let mut parts = Vec::new();
        while !cursor.rest.is_empty() {
            parts.push(self.part(&mut cursor)?);
        }
        Ok(parts)
    }

    fn part<'a>(&self, cursor: &mut Cursor<'a>) -> Result<SubmissionPart<'a>, BlockError> {
        let first_position = cursor.varint()?;
        let first_index = cursor.varint_u32()?;
        let total = cursor.varint_u32()?;
        let partner = cursor.text()?;
        let signature = match cursor.byte()? {
            0 => None,
            1 => Some(cursor.text()?),
            _ => return Err(cursor.fault()),
        };
        let commands = cursor.varint_u32()?;
        let mut part = SubmissionPart {
            first_position,
            first_index,
            total,
            partner,
            signature,
            commands: Vec::new(),
        };
        for _ in 0..commands {
            let command = match cursor.byte()? {
                0 => KeptCommand::Bytes(cursor.prefixed()?),
                1 => KeptCommand::Digest(cursor.array_ref()?),
                _ => return Err(cursor.fault()),
            };
            let events = cursor.varint_u32()?;
            let offset = if events == 0 { 0 } else { cursor.varint_u32()? };
            if offset >= u32::from(self.events.count) {
                return Err(cursor.fault());
            }
            let first_position = self.events.first_position.saturating_add(offset.into());
            part.commands.push(StoredCommand {
                command,
                first_position,
                events,
            });
        }
        Ok(part)
    }
}
