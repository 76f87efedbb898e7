//! Tables of millions of facts and titles, in chunks: growing neither copies what is there nor doubles the memory.

/// Entries in one chunk of a table.
const CHUNK_ENTRIES: usize = 4096;
/// Bytes in one chunk of titles; a title never spans two.
const CHUNK_BYTES: usize = 1 << 20;

/// A list that only grows at its end.
#[derive(Debug)]
pub(crate) struct Table<T> {
    chunks: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            len: 0,
        }
    }
}

impl<T> Table<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        let index = usize::try_from(index).ok()?;
        self.chunks
            .get(index / CHUNK_ENTRIES)?
            .get(index % CHUNK_ENTRIES)
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        let index = usize::try_from(index).ok()?;
        self.chunks
            .get_mut(index / CHUNK_ENTRIES)?
            .get_mut(index % CHUNK_ENTRIES)
    }

    pub(crate) fn push(&mut self, entry: T) {
        self.len += 1;
        if let Some(chunk) = self
            .chunks
            .last_mut()
            .filter(|chunk| chunk.len() < CHUNK_ENTRIES)
        {
            chunk.push(entry);
            return;
        }
        let mut chunk = Vec::with_capacity(CHUNK_ENTRIES);
        chunk.push(entry);
        self.chunks.push(chunk);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }
}

/// The titles of commitments, end to end. An amended title leaves its old text behind until the next restart.
#[derive(Debug, Default)]
pub(crate) struct Titles(Vec<String>);

/// Where a title lies: chunk, first byte, length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TitleRef {
    chunk: u32,
    start: u32,
    len: u32,
}

impl Titles {
    pub(crate) fn get(&self, title: TitleRef) -> &str {
        let text = || {
            let chunk = self.0.get(usize::try_from(title.chunk).ok()?)?;
            let start = usize::try_from(title.start).ok()?;
            chunk.get(start..start + usize::try_from(title.len).ok()?)
        };
        text().unwrap_or_default()
    }

    pub(crate) fn push(&mut self, title: &str) -> TitleRef {
        let fits = |chunk: &String| chunk.len() + title.len() <= chunk.capacity();
        if !self.0.last().is_some_and(fits) {
            self.0
                .push(String::with_capacity(CHUNK_BYTES.max(title.len())));
        }
        let chunk = self.0.len().saturating_sub(1);
        let Some(text) = self.0.last_mut() else {
            return TitleRef::default();
        };
        let start = text.len();
        text.push_str(title);
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        TitleRef {
            chunk: number(chunk),
            start: number(start),
            len: number(title.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_where_they_were_put() {
        let mut table = Table::default();
        for number in 0..10_000u32 {
            table.push(number);
        }
        assert_eq!(table.len(), 10_000);
        assert!(table.iter().copied().eq(0..10_000));
        assert_eq!(
            (table.get(4096), table.get(9_999), table.get(10_000)),
            (Some(&4096), Some(&9_999), None)
        );
        *table.get_mut(5_000).unwrap() = 7;
        assert_eq!(table.get(5_000), Some(&7));
    }

    #[test]
    fn titles_come_back_whole_across_chunks() {
        let mut titles = Titles::default();
        let title = |number: usize| "é".repeat(number % 300) + &number.to_string();
        let refs: Vec<_> = (0..8_000)
            .map(|number| titles.push(&title(number)))
            .collect();
        assert!(titles.0.len() > 1, "more than one chunk");
        for (number, &at) in refs.iter().enumerate() {
            assert_eq!(titles.get(at), title(number));
        }
        let long = "x".repeat(3 << 20);
        let at = titles.push(&long);
        assert_eq!(titles.get(at), long);
        assert_eq!(
            titles.get(TitleRef {
                chunk: 999,
                start: 0,
                len: 4
            }),
            ""
        );
    }
}
