//! The bytes of a persisted row: a version byte, then fields in a fixed order.
//!
//! Integers are LEB128 (signed ones zigzag first), texts carry their length. A hand-written codec keeps a commitment's row
//! near the size of its title, and a row is written again for every report on it.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::event_time::EventTime;
use crate::date::PartialDate;
use crate::view::error::RestoreError;

/// The first byte of every row's value. A reader refuses any other.
const ROW_VERSION: u8 = 5;

/// Writes one row's value.
pub(crate) struct RowWriter(Vec<u8>);

impl RowWriter {
    pub(crate) fn new() -> Self {
        let mut bytes = Vec::with_capacity(96);
        bytes.push(ROW_VERSION);
        Self(bytes)
    }

    /// Goes on after bytes that are there already, as in a list of entries: no version byte of its own.
    pub(crate) fn onto(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn u64(&mut self, mut value: u64) {
        loop {
            let low = (value & 0x7f).to_le_bytes()[0];
            value >>= 7;
            if value == 0 {
                self.0.push(low);
                return;
            }
            self.0.push(low | 0x80);
        }
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.u64(u64::from(value));
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn i64(&mut self, value: i64) {
        self.u64(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    pub(crate) fn count(&mut self, value: usize) {
        self.u64(u64::try_from(value).unwrap_or(u64::MAX));
    }

    pub(crate) fn text(&mut self, value: &str) {
        self.count(value.len());
        self.0.extend_from_slice(value.as_bytes());
    }

    pub(crate) fn moment(&mut self, value: Option<EventTime>) {
        self.u8(u8::from(value.is_some()));
        if let Some(moment) = value {
            self.u64(moment.position);
            self.i64(moment.recorded_us);
        }
    }

    /// A date in its own precision: year, month and day in decimal digits, zeros where it is not known.
    pub(crate) fn date(&mut self, date: Option<PartialDate>) {
        self.u32(date.map_or(0, |date| {
            let (month, day) = (date.month().unwrap_or(0), date.day().unwrap_or(0));
            date.year() * 10_000 + month * 100 + day
        }));
    }

    /// A word by its number in the list of such words, counted from one: a change log repeats it for every event of a commitment. What the
    /// numbers mean is part of [`changelog_version`](crate::view::changelog_version).
    pub(crate) fn word<T: PartialEq>(&mut self, words: &[T], word: Option<T>) {
        let number = word.and_then(|word| words.iter().position(|other| *other == word));
        self.count(number.map_or(0, |number| number + 1));
    }

    pub(crate) fn array(&mut self, value: &[u8]) {
        self.0.extend_from_slice(value);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads one row's value; every method fails on a value that ends early.
pub(crate) struct RowReader<'a> {
    row: &'static str,
    rest: &'a [u8],
}

impl<'a> RowReader<'a> {
    /// Starts reading, refusing a row of another version.
    pub(crate) fn new(row: &'static str, value: &'a [u8]) -> Result<Self, RestoreError> {
        match value.split_first() {
            Some((&ROW_VERSION, rest)) => Ok(Self { row, rest }),
            Some((&version, _)) => Err(RestoreError::Version { row, version }),
            None => Err(RestoreError::Damaged { row }),
        }
    }

    /// Starts reading what [`RowWriter::onto`] wrote.
    pub(crate) fn within(row: &'static str, rest: &'a [u8]) -> Self {
        Self { row, rest }
    }

    /// The bytes not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn damaged(&self) -> RestoreError {
        RestoreError::Damaged { row: self.row }
    }

    pub(crate) fn u8(&mut self) -> Result<u8, RestoreError> {
        let (&first, rest) = self.rest.split_first().ok_or_else(|| self.damaged())?;
        self.rest = rest;
        Ok(first)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, RestoreError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.damaged())
    }

    pub(crate) fn u32(&mut self) -> Result<u32, RestoreError> {
        u32::try_from(self.u64()?).map_err(|_| self.damaged())
    }

    pub(crate) fn i64(&mut self) -> Result<i64, RestoreError> {
        let value = self.u64()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    pub(crate) fn moment(&mut self) -> Result<Option<EventTime>, RestoreError> {
        match self.u8()? {
            0 => Ok(None),
            1 => Ok(Some(EventTime {
                position: self.u64()?,
                recorded_us: self.i64()?,
            })),
            _ => Err(self.damaged()),
        }
    }

    /// A number of elements that follow: never more than the bytes left, so that a damaged row cannot ask for memory.
    pub(crate) fn count(&mut self) -> Result<usize, RestoreError> {
        let count = usize::try_from(self.u64()?).map_err(|_| self.damaged())?;
        if count > self.rest.len() {
            return Err(self.damaged());
        }
        Ok(count)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, RestoreError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| self.damaged())
    }

    /// A run of bytes with its length before it.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], RestoreError> {
        let length = self.count()?;
        let (bytes, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| self.damaged())?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], RestoreError> {
        let (array, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or_else(|| self.damaged())?;
        self.rest = rest;
        Ok(*array)
    }

    pub(crate) fn date(&mut self) -> Result<Option<PartialDate>, RestoreError> {
        let digits = self.u32()?;
        let (year, month, day) = (digits / 10_000, digits / 100 % 100, digits % 100);
        let text = match (year, month, day) {
            (0, 0, 0) => return Ok(None),
            (year, 0, 0) => format!("{year:04}"),
            (year, month, 0) => format!("{year:04}-{month:02}"),
            (year, month, day) => format!("{year:04}-{month:02}-{day:02}"),
        };
        text.parse().map(Some).map_err(|_| self.damaged())
    }

    pub(crate) fn word<T: Copy>(&mut self, words: &[T]) -> Result<Option<T>, RestoreError> {
        let Some(number) = self.u32()?.checked_sub(1) else {
            return Ok(None);
        };
        let word = usize::try_from(number).ok().and_then(|at| words.get(at));
        word.copied().map(Some).ok_or_else(|| self.damaged())
    }

    /// Reads something by its word on the wire; an empty word stands for none.
    pub(crate) fn name<T: DeserializeOwned>(&mut self) -> Result<Option<T>, RestoreError> {
        let name = self.text()?;
        if name.is_empty() {
            return Ok(None);
        }
        let name: StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
        T::deserialize(name).map(Some).map_err(|_| self.damaged())
    }

    /// Ends the reading: bytes left over are damage too.
    pub(crate) fn finish(self) -> Result<(), RestoreError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.damaged())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(a in any::<u64>(), b in any::<i64>(), c in any::<u8>(), d in ".{0,40}", e in any::<u32>()) {
            let mut row = RowWriter::new();
            row.u64(a);
            row.i64(b);
            row.u8(c);
            row.text(&d);
            row.u32(e);
            let bytes = row.finish();
            let mut row = RowReader::new("test", &bytes).unwrap();
            prop_assert_eq!(row.u64().unwrap(), a);
            prop_assert_eq!(row.i64().unwrap(), b);
            prop_assert_eq!(row.u8().unwrap(), c);
            prop_assert_eq!(row.text().unwrap(), d);
            prop_assert_eq!(row.u32().unwrap(), e);
            prop_assert!(row.finish().is_ok());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(mut row) = RowReader::new("test", &bytes) {
                while row.text().is_ok() && row.u64().is_ok() {}
            }
        }
    }

    #[test]
    fn a_row_of_another_version_is_refused() {
        assert_eq!(
            RowReader::new("test", &[9, 0]).err(),
            Some(RestoreError::Version {
                row: "test",
                version: 9
            })
        );
        assert_eq!(
            RowReader::new("test", &[]).err(),
            Some(RestoreError::Damaged { row: "test" })
        );
    }
}
