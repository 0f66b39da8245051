//! The links from one page of a list to the next.

use composable_rust::prelude::*;

/// Links to the pages beside this one, where there are any (`pager.html`).
pub(super) struct Pager {
    pub(super) earlier: Option<String>,
    pub(super) further: Option<String>,
    /// What the two links say.
    pub(super) names: (&'static str, &'static str),
}

impl Pager {
    /// On the asked page of `total` items, so many a page; `link` is the address of another.
    pub(super) fn new(
        asked: Pagination,
        (total, page_size): (u64, u32),
        names: (&'static str, &'static str),
        link: impl Fn(u32) -> String,
    ) -> Self {
        let is_last = total <= u64::from(asked.page).saturating_mul(page_size.into());
        Self {
            earlier: (asked.page > 1).then(|| link(asked.page.saturating_sub(1))),
            further: (!is_last).then(|| link(asked.page.saturating_add(1))),
            names,
        }
    }

    pub(super) const fn is_needed(&self) -> bool {
        self.earlier.is_some() || self.further.is_some()
    }
}
