//! Texts counted in code points, as Python counts them.

/// A text of which many pieces are taken.
#[derive(Debug)]
pub(crate) struct CodePoints<'a> {
    text: &'a str,
    /// Where every code point begins; empty when each is a byte.
    starts: Vec<usize>,
}

impl<'a> CodePoints<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let starts = match text.is_ascii() {
            true => Vec::new(),
            false => text
                .char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .collect(),
        };
        Self { text, starts }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        match self.starts.len() {
            0 => self.text.len() as u64,
            n => n as u64 - 1,
        }
    }

    /// The code points `start..end`, if there are such.
    pub(crate) fn slice(&self, start: u64, end: u64) -> Option<&'a str> {
        let at = |place: u64| match self.starts.is_empty() {
            true => Some(place as usize),
            false => self.starts.get(place as usize).copied(),
        };
        self.text.get(at(start)?..at(end)?)
    }
}

#[cfg(test)]
mod tests {
    use super::CodePoints;

    #[test]
    fn slices_count_code_points() {
        let text = "a\u{e9}\u{1F600}b";
        let points = CodePoints::new(text);
        assert_eq!(points.len(), 4);
        assert_eq!(points.slice(0, 4), Some(text));
        assert_eq!(points.slice(1, 3), Some("\u{e9}\u{1F600}"));
        assert_eq!(points.slice(4, 4), Some(""));
        assert_eq!(points.slice(2, 5), None);
        assert_eq!(points.slice(3, 2), None);
        let ascii = CodePoints::new("warp");
        assert_eq!(
            (
                ascii.len(),
                ascii.slice(1, 3),
                ascii.slice(3, 5),
                ascii.slice(3, 2)
            ),
            (4, Some("ar"), None, None)
        );
        assert_eq!(
            (CodePoints::new("").len(), CodePoints::new("").slice(0, 0)),
            (0, Some(""))
        );
    }
}
