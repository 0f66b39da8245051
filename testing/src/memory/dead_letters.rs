//! Dead letters in memory.

use super::MemoryAdapter;
use super::views::check_page;
use async_trait::async_trait;
use composable_rust_core::port::{
    DeadLetter, DeadLetterFilter, DeadLetterQueue, DlqStats, DlqStatus, NewDeadLetter, Page, PageRequest,
    StoreError,
};
use composable_rust_core::{DeadLetterId, StreamId};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// All letters.
#[derive(Debug, Default)]
pub(super) struct DeadLetterTable {
    letters: BTreeMap<DeadLetterId, DeadLetter>,
}

/// What a change of status says.
struct Note<'a> {
    to: DlqStatus,
    by: Option<&'a str>,
    notes: Option<&'a str>,
}

impl DeadLetterTable {
    fn add(&mut self, new: NewDeadLetter) -> DeadLetterId {
        let same = |kept: &&mut DeadLetter| {
            new.position.is_some()
                && kept.letter.position == new.position
                && kept.letter.subscription == new.subscription
        };
        if let Some(kept) = self.letters.values_mut().find(same) {
            kept.letter.attempts = new.attempts;
            kept.letter.error_chain = new.error_chain;
            kept.letter.last_failed_at = new.last_failed_at;
            (kept.status, kept.resolved_by, kept.resolved_at) = (DlqStatus::Pending, None, None);
            return kept.letter.id;
        }
        let id = new.id;
        let letter = DeadLetter {
            letter: new,
            status: DlqStatus::Pending,
            resolved_by: None,
            resolved_at: None,
            notes: None,
        };
        self.letters.insert(id, letter);
        id
    }

    fn list(&self, filter: &DeadLetterFilter, page: PageRequest) -> Page<DeadLetter> {
        let wanted = |kept: &&DeadLetter| {
            filter.subscription.as_ref().is_none_or(|name| *name == kept.letter.subscription)
                && (filter.statuses.is_empty() || filter.statuses.contains(&kept.status))
                && filter.stream.as_ref().is_none_or(|stream| *stream == kept.letter.stream)
        };
        let mut found: Vec<&DeadLetter> = self.letters.values().filter(wanted).collect();
        found.sort_by_key(|kept| (kept.letter.position, kept.letter.first_failed_at, kept.letter.id));
        let skip = usize::try_from(page.offset()).unwrap_or(usize::MAX);
        let items = found.iter().skip(skip).take(page.size as usize).map(|kept| (*kept).clone()).collect();
        Page { items, total: found.len() as u64 }
    }

    fn transition(&mut self, id: DeadLetterId, from: &[DlqStatus], note: &Note<'_>, now: Timestamp) -> bool {
        let Some(kept) = self.letters.get_mut(&id).filter(|kept| from.contains(&kept.status)) else {
            return false;
        };
        kept.status = note.to;
        (kept.resolved_by, kept.resolved_at) = match note.to {
            DlqStatus::Resolved | DlqStatus::Discarded => (note.by.map(ToOwned::to_owned), Some(now)),
            DlqStatus::Pending | DlqStatus::Processing => (None, None),
        };
        if let Some(notes) = note.notes {
            kept.notes = Some(notes.to_owned());
        }
        true
    }

    fn stats(&self) -> DlqStats {
        let mut stats = DlqStats::default();
        for kept in self.letters.values() {
            *match kept.status {
                DlqStatus::Pending => &mut stats.pending,
                DlqStatus::Processing => &mut stats.processing,
                DlqStatus::Resolved => &mut stats.resolved,
                DlqStatus::Discarded => &mut stats.discarded,
            } += 1;
        }
        stats
    }

    fn parked_streams(&self, subscription: &str) -> Vec<StreamId> {
        let unresolved = |kept: &&DeadLetter| {
            kept.letter.subscription == subscription
                && matches!(kept.status, DlqStatus::Pending | DlqStatus::Processing)
        };
        let streams: BTreeSet<StreamId> =
            self.letters.values().filter(unresolved).map(|kept| kept.letter.stream.clone()).collect();
        streams.into_iter().collect()
    }
}

#[async_trait]
impl DeadLetterQueue for MemoryAdapter {
    async fn add(&self, letter: NewDeadLetter) -> Result<DeadLetterId, StoreError> {
        self.perform("add_dead_letter", |tables, _| tables.dead_letters.add(letter)).await
    }

    async fn get(&self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> {
        self.perform("get_dead_letter", |tables, _| tables.dead_letters.letters.get(&id).cloned()).await
    }

    async fn list(
        &self,
        filter: &DeadLetterFilter,
        page: PageRequest,
    ) -> Result<Page<DeadLetter>, StoreError> {
        check_page(page)?;
        self.perform("list_dead_letters", |tables, _| tables.dead_letters.list(filter, page)).await
    }

    async fn parked_streams(&self, subscription: &str) -> Result<Vec<StreamId>, StoreError> {
        self.perform("parked_streams", |tables, _| tables.dead_letters.parked_streams(subscription)).await
    }

    async fn transition(
        &self,
        id: DeadLetterId,
        from: &[DlqStatus],
        to: DlqStatus,
        by: Option<&str>,
        notes: Option<&str>,
    ) -> Result<bool, StoreError> {
        let note = Note { to, by, notes };
        self.perform("transition", |tables, now| tables.dead_letters.transition(id, from, &note, now)).await
    }

    async fn stats(&self) -> Result<DlqStats, StoreError> {
        self.perform("dead_letter_stats", |tables, _| tables.dead_letters.stats()).await
    }
}
