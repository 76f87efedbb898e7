//! Tables for people. Nothing is cut: on a terminal, what does not fit is wrapped, and a table that would not fit even then is shown row by row.

use std::io::{self, IsTerminal as _};

use terminal_size::{Width, terminal_size_of};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::clean;

/// What is between two columns.
const GAP: usize = 2;

/// The narrowest that a value is wrapped to beside its heading.
const VALUE_WIDTH_MIN: usize = 20;

/// Rows under headings, columns aligned.
#[derive(Debug, Default)]
pub(crate) struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new(headings: &[&str]) -> Self {
        Self {
            headings: headings.iter().map(|text| (*text).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows
            .push(cells.into_iter().map(|cell| clean(&cell)).collect());
    }

    /// Whether there is nothing under the headings.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, for standard output: as wide as the terminal that it is, or as wide as it gets.
    pub(crate) fn render(&self) -> String {
        let out = io::stdout();
        let size = out.is_terminal().then(|| terminal_size_of(&out)).flatten();
        self.within(size.map(|(Width(columns), _)| columns.into()))
    }

    fn within(&self, columns: Option<usize>) -> String {
        let natural = self.widths(str::width);
        let Some(columns) = columns.filter(|&columns| total(&natural) > columns) else {
            return self.aligned(&natural);
        };
        let longest_word = |cell: &str| cell.split(' ').map(str::width).max().unwrap_or(0);
        let mut least = self.widths(longest_word);
        for width in &mut least {
            *width = (*width).min(columns / 2);
        }
        if total(&least) <= columns {
            self.aligned(&narrowed(natural, &least, columns))
        } else {
            self.one_by_one(columns)
        }
    }

    /// The largest measure of each column's cells.
    fn widths(&self, measure: impl Fn(&str) -> usize) -> Vec<usize> {
        let mut widths = Vec::new();
        for row in self.lines() {
            widths.resize(row.len().max(widths.len()), 0);
            for (cell, width) in row.iter().zip(&mut widths) {
                *width = measure(cell).max(*width);
            }
        }
        widths
    }

    fn lines(&self) -> impl Iterator<Item = &Vec<String>> {
        std::iter::once(&self.headings).chain(&self.rows)
    }

    /// Columns of these widths, cells wrapped within them.
    fn aligned(&self, widths: &[usize]) -> String {
        let mut text = String::new();
        for row in self.lines() {
            let cells = row.iter().zip(widths);
            let cells: Vec<Vec<String>> =
                cells.map(|(cell, &width)| wrapped(cell, width)).collect();
            let height = cells.iter().map(Vec::len).max().unwrap_or(1);
            for line in 0..height {
                let parts = cells.iter().zip(widths);
                let parts = parts.map(|(cell, &width)| {
                    padded(cell.get(line).map_or("", String::as_str), width + GAP)
                });
                text.push_str(parts.collect::<String>().trim_end());
                text.push('\n');
            }
        }
        text
    }

    /// A line for each value that there is, beside its heading; a row that begins with nothing goes on with the one before.
    fn one_by_one(&self, columns: usize) -> String {
        let names = self.headings.iter().map(|heading| heading.width());
        let name_width = names.max().unwrap_or(0) + GAP;
        let value_width = columns.saturating_sub(name_width).max(VALUE_WIDTH_MIN);
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let goes_on = row.first().is_some_and(String::is_empty);
            if index > 0 && !goes_on {
                text.push('\n');
            }
            let values = row.iter().zip(&self.headings);
            for (value, heading) in values.filter(|(value, _)| !value.is_empty()) {
                let mut name = if goes_on { "" } else { heading.as_str() };
                for line in wrapped(value, value_width) {
                    let line = padded(name, name_width) + &line;
                    text.push_str(line.trim_end());
                    text.push('\n');
                    name = "";
                }
            }
        }
        text
    }
}

/// How wide columns of these widths are together.
fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// Takes from the widest columns what is too much, from none more than down to its least width.
fn narrowed(mut widths: Vec<usize>, least: &[usize], columns: usize) -> Vec<usize> {
    let mut excess = total(&widths).saturating_sub(columns);
    while excess > 0 {
        let reducible = widths.iter_mut().zip(least);
        let reducible = reducible.filter(|(width, least)| **width > **least);
        let Some((widest, _)) = reducible.max_by_key(|(width, _)| **width) else {
            break;
        };
        *widest -= 1;
        excess -= 1;
    }
    widths
}

fn padded(text: &str, width: usize) -> String {
    let padding = width.saturating_sub(text.width());
    let mut padded = text.to_owned();
    padded.extend(std::iter::repeat_n(' ', padding));
    padded
}

/// Lines of at most this width, broken between words where a word is not itself wider; at least one.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    if text.width() <= width {
        return vec![text.to_owned()];
    }
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), 0);
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if used > 0 && used + 1 + word.width() > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        } else if used > 0 {
            line.push(' ');
            used += 1;
        }
        for letter in word.chars() {
            let wide = letter.width().unwrap_or(0);
            if used > 0 && used + wide > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(letter);
            used += wide;
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(headings: &[&str], rows: &[&[&str]]) -> Table {
        let mut table = Table::new(headings);
        for row in rows {
            table.row(row.iter().map(|cell| (*cell).to_owned()));
        }
        table
    }

    #[test]
    fn columns_are_aligned_and_lines_end_in_no_space() {
        let table = table(&["code", "n"], &[&["GCM-05a", "1"], &["é", "22"]]);
        assert_eq!(table.within(None), "code     n\nGCM-05a  1\né        22\n");
    }

    #[test]
    fn letters_are_as_wide_as_a_terminal_shows_them() {
        let table = table(&["a", "b"], &[&["移民", "1"], &["e\u{301}", "2"]]);
        assert_eq!(table.within(None), "a     b\n移民  1\ne\u{301}     2\n");
    }

    #[test]
    fn nothing_is_cut_where_no_terminal_is() {
        let long = "word ".repeat(50);
        let table = table(&["text"], &[&[&long]]);
        assert_eq!(table.within(None), format!("text\n{}\n", long.trim_end()));
    }

    #[test]
    fn on_a_terminal_the_widest_column_is_wrapped_between_words() {
        let table = table(
            &["id", "title", "n"],
            &[&["c-1", "one two three four", "7"], &["c-2", "five", "8"]],
        );
        let narrow = "id   title       n\n\
                      c-1  one two     7\n     three four\n\
                      c-2  five        8\n";
        assert_eq!(table.within(Some(18)), narrow);
        assert_eq!(table.within(Some(26)), table.within(None));
    }

    #[test]
    fn a_table_that_does_not_fit_is_shown_row_by_row_with_what_there_is() {
        let rows: [&[&str]; 3] = [
            &["first-identifier", "", "a word and another"],
            &["", "", "more of it"],
            &["second-identifier", "remark-of-it", "x"],
        ];
        let table = table(&["id", "remark", "title-of-it"], &rows);
        let shown = "id           first-identifier\n\
                     title-of-it  a word and another\n             more of it\n\
                     \n\
                     id           second-identifier\n\
                     remark       remark-of-it\n\
                     title-of-it  x\n";
        assert_eq!(table.within(Some(33)), shown);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let path = "active_commitments_by_action/GCM-10/no_report";
        let table = table(&["figure", "before", "after"], &[&[path, "1", "2"]]);
        for columns in [30, 40, 50] {
            let shown = table.within(Some(columns));
            assert!(
                shown.lines().all(|line| line.width() <= columns),
                "{columns}\n{shown}"
            );
            assert!(shown.contains(" 1 ") || shown.contains(" 1\n"), "{shown}");
        }
    }
}
