//! How each numbered seat of a section stands, and which are the best together. One letter for each seat, however many
//! there are; whose they are is not kept here.

use composable_rust::prelude::*;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ops::Range;

/// The numbered seats of a section, row by row from the front; empty where places are alike.
#[derive(Debug, Clone, Default, PartialEq, Data)]
pub struct Seats {
    /// How many seats each row has.
    rows: Vec<u32>,
    states: States,
}

/// Whose a seat is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Label)]
pub enum SeatState {
    /// Anybody's.
    Free,
    /// One's who may pay it.
    Held,
    /// One's who has paid it.
    Sold,
    /// The organiser's.
    Blocked,
}

impl Seats {
    /// Free seats in rows of these lengths.
    pub fn new(rows: &[u32]) -> Self {
        let places = rows.iter().fold(0_usize, |sum, seats| sum.saturating_add(*seats as usize));
        Self { rows: rows.to_vec(), states: States(vec![SeatState::Free; places]) }
    }

    /// Whether places are alike.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How each seat stands.
    pub fn states(&self) -> impl Iterator<Item = SeatState> + '_ {
        self.states.0.iter().copied()
    }

    /// How a seat stands; `None` where there is none.
    pub fn state(&self, place: u32) -> Option<SeatState> {
        self.states.0.get(place as usize).copied()
    }

    /// Changes how seats stand.
    pub fn set(&mut self, places: &[u32], state: SeatState) {
        for place in places {
            self.states.0.get_mut(*place as usize).into_iter().for_each(|seat| *seat = state);
        }
    }

    /// The best free seats: together in one row where there is one, front and centre first; else in as few groups as
    /// there must be. Fewer than asked for when fewer are free.
    pub fn best(&self, count: u32) -> Vec<u32> {
        let (mut seats, mut best) = (self.clone(), Vec::new());
        let mut open = count;
        while open > 0 {
            let group = seats.together(open).or_else(|| seats.longest());
            let Some(group) = group else { break };
            let group: Vec<u32> = group.collect();
            open = open.saturating_sub(u32::try_from(group.len()).unwrap_or(u32::MAX));
            seats.set(&group, SeatState::Held);
            best.extend(group);
        }
        best.sort_unstable();
        best
    }

    /// So many neighbours, in the first row that has them the most central.
    fn together(&self, count: u32) -> Option<Range<u32>> {
        self.rows().find_map(|row| {
            let middle = row.start.saturating_add(row.end);
            let windows = self.gaps(row).flat_map(|gap| {
                let last = gap.end.checked_sub(count).map(|last| last.saturating_add(1));
                (gap.start..last.unwrap_or(gap.start)).map(move |start| start..start.saturating_add(count))
            });
            windows.min_by_key(|window| window.start.saturating_add(window.end).abs_diff(middle))
        })
    }

    /// The most neighbours that there are, in front where several rows have so many.
    fn longest(&self) -> Option<Range<u32>> {
        let gaps = self.rows().flat_map(|row| self.gaps(row));
        gaps.reduce(|longest, gap| if gap.len() > longest.len() { gap } else { longest })
    }

    fn rows(&self) -> impl Iterator<Item = Range<u32>> + '_ {
        self.rows.iter().scan(0_u32, |start, seats| {
            let row = *start..start.saturating_add(*seats);
            *start = row.end;
            Some(row)
        })
    }

    /// The runs of free seats of a row.
    fn gaps(&self, row: Range<u32>) -> impl Iterator<Item = Range<u32>> + '_ {
        let mut from = row.start;
        std::iter::from_fn(move || {
            let is_free = |place: &u32| self.state(*place) == Some(SeatState::Free);
            let start = (from..row.end).find(is_free)?;
            let end = (start..row.end).find(|place| !is_free(place)).unwrap_or(row.end);
            from = end;
            Some(start..end)
        })
    }
}

/// Written as a word with a letter for each seat.
#[derive(Debug, Clone, Default, PartialEq)]
struct States(Vec<SeatState>);

impl Serialize for States {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let letter = |state: &SeatState| match state {
            SeatState::Free => 'f',
            SeatState::Held => 'h',
            SeatState::Sold => 's',
            SeatState::Blocked => 'b',
        };
        serializer.serialize_str(&self.0.iter().map(letter).collect::<String>())
    }
}

impl<'de> Deserialize<'de> for States {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let state = |letter| match letter {
            'f' => Ok(SeatState::Free),
            'h' => Ok(SeatState::Held),
            's' => Ok(SeatState::Sold),
            'b' => Ok(SeatState::Blocked),
            other => Err(D::Error::custom(format!("no seat is {other:?}"))),
        };
        String::deserialize(deserializer)?.chars().map(state).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Two rows of six with these seats taken.
    fn taken(places: &[u32]) -> Seats {
        let mut seats = Seats::new(&[6, 6]);
        seats.set(places, SeatState::Sold);
        seats
    }

    #[test]
    fn the_best_seats_are_in_front_and_in_the_middle() {
        assert_eq!(taken(&[]).best(2), [2, 3]);
        assert_eq!(taken(&[2, 3]).best(2), [0, 1]);
        assert_eq!(taken(&[2, 3]).best(3), [7, 8, 9]);
        assert_eq!(taken(&[]).best(6), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn those_who_cannot_sit_together_sit_in_as_few_groups_as_there_must_be() {
        assert_eq!(taken(&[2, 9]).best(4), [1, 3, 4, 5], "three and one");
        assert_eq!(taken(&[1, 3, 5, 7, 9, 11]).best(2), [0, 2]);
        assert_eq!(taken(&[]).best(20).len(), 12, "never more than there are");
    }

    #[test]
    fn a_seat_is_a_letter() {
        let text = serde_json::to_string(&taken(&[0])).unwrap();
        assert_eq!(text, r#"{"rows":[6,6],"states":"sfffffffffff"}"#);
        assert_eq!(serde_json::from_str::<Seats>(&text).unwrap(), taken(&[0]));
    }

    /// The fewest groups of free neighbours that make `count`, tried out.
    fn fewest_groups(mut gaps: Vec<u32>, count: u32) -> usize {
        gaps.sort_unstable();
        let mut open = count;
        (1..)
            .zip(gaps.into_iter().rev())
            .find_map(|(groups, gap)| {
                open = open.saturating_sub(gap);
                (open == 0).then_some(groups)
            })
            .unwrap_or(0)
    }

    proptest! {
        #[test]
        fn the_best_seats_are_free_different_enough_and_in_the_fewest_groups(
            rows in prop::collection::vec(1_u32..9, 1..6), taken in prop::collection::vec(0_u32..40, 0..30), count in 1_u32..12,
        ) {
            let mut seats = Seats::new(&rows);
            seats.set(&taken, SeatState::Blocked);
            let free = seats.states().filter(|state| *state == SeatState::Free).count();
            let best = seats.best(count);
            prop_assert_eq!(best.len(), free.min(count as usize));
            prop_assert!(best.iter().all(|place| seats.state(*place) == Some(SeatState::Free)));
            prop_assert!(best.windows(2).all(|pair| pair[0] < pair[1]));
            if free >= count as usize {
                let mut held = seats.clone();
                held.set(&best, SeatState::Held);
                let groups = held.rows().flat_map(|row| {
                    let held = &held;
                    row.clone().filter(move |place| {
                        let is_held = |place: u32| held.state(place) == Some(SeatState::Held);
                        is_held(*place) && (*place == row.start || !is_held(*place - 1))
                    })
                });
                let gaps = seats.rows().flat_map(|row| seats.gaps(row)).map(|gap| gap.end - gap.start);
                prop_assert_eq!(groups.count(), fewest_groups(gaps.collect(), count));
            }
        }
    }
}
