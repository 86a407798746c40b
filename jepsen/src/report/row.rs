//! Where a bar and its name have room: the first row in which nothing else is there.

/// Rows of a lane, each with the place where its last bar or name ends.
#[derive(Debug, Default)]
pub(super) struct Rows {
    ends: Vec<f64>,
}

impl Rows {
    /// The row for what reaches from `from` to `to`; bars come in the order of their beginnings.
    pub(super) fn place(&mut self, from: f64, to: f64) -> usize {
        let free = self.ends.iter().position(|end| *end <= from);
        let row = free.unwrap_or(self.ends.len());
        match self.ends.get_mut(row) {
            Some(end) => *end = to,
            None => self.ends.push(to),
        }
        row
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_gets_a_row_of_its_own_and_a_free_row_is_used_again() {
        let mut rows = Rows::default();
        assert_eq!(
            [rows.place(0.0, 10.0), rows.place(5.0, 8.0), rows.place(8.0, 20.0), rows.place(9.0, 30.0)],
            [0, 1, 1, 2]
        );
        assert_eq!(rows.count(), 3);
    }
}
