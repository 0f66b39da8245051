//! A stream of events out of pages, of which the next is read while the caller works on the one before.

use super::{EventStore, StoreError, StreamRange};
use crate::{RecordedEvent, StreamId, StreamVersion};
use futures_util::future::{BoxFuture, FutureExt, MaybeDone, maybe_done};
use futures_util::poll;
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use std::pin::Pin;

/// Events of a page: few enough that the first comes soon, many enough that asking for them does not count.
const PAGE: usize = 256;

type Reading<'a> = Pin<Box<MaybeDone<BoxFuture<'a, Result<Vec<RecordedEvent>, StoreError>>>>>;

/// All events of `id` after `version`; at most two pages are in memory.
pub(super) fn events<'a, E: EventStore + ?Sized>(
    store: &'a E,
    id: &'a StreamId,
    version: StreamVersion,
) -> impl Stream<Item = Result<RecordedEvent, StoreError>> + Send + 'a {
    let read = move |after: StreamVersion| -> Reading<'a> {
        Box::pin(maybe_done(store.read_stream(id, StreamRange::after(after, PAGE)).boxed()))
    };
    stream::try_unfold(Some(read(version)), move |reading| async move {
        let Some(mut reading) = reading else { return Ok::<_, StoreError>(None) };
        reading.as_mut().await;
        let page = reading.as_mut().take_output().unwrap_or_else(|| Ok(Vec::new()))?;
        let last = page.last().filter(|_| StreamRange::after(version, PAGE).is_filled_by(&page));
        let mut next = last.map(|event| read(event.version));
        if let Some(next) = &mut next {
            // Begins the reading; whether it is done already is asked above.
            let _begun = poll!(next.as_mut());
        }
        Ok(Some((stream::iter(page).map(Ok), next)))
    })
    .try_flatten()
}
