//! What must be true when everything has come to rest, whatever happened before.

use composable_rust::Application;
use composable_rust::port::{DeadLetterFilter, LogQuery, PageRequest};
use composable_rust::projections::verify;
use composable_rust::{Position, Projection};
use std::collections::BTreeMap;
use ticketing::inventory::{Inventory, views::Availability};
use ticketing::payment::gateway::{Fate, Ledger};
use ticketing::payment::views::PaymentList;
use ticketing::payment::{Payment, PaymentStatus};
use ticketing::reservation::views::{ReservationList, TicketList};
use ticketing::reservation::{Reservation, ReservationStatus};
use ticketing::shared::{PaymentId, ReservationId, SectionId};
use ticketing::show::views::ShowList;

/// Every broken promise, in words; none when all is well.
pub(crate) async fn broken(app: &Application, section: &str, ledger: &Ledger) -> Vec<String> {
    let mut broken = Vec::new();
    let section: SectionId = section.parse().expect("a section id");
    let inventory = app.load::<Inventory>(&section).await.expect("a store").expect("an inventory").state;
    if !inventory.is_sound() {
        broken.push(format!("places were lost or made up: {inventory:?}"));
    }
    if inventory.held > 0 {
        broken.push(format!("{} places are still held", inventory.held));
    }
    let mut completed = BTreeMap::<PaymentId, ReservationId>::new();
    let mut sold = 0;
    for id in keys(app, "reservation").await {
        let id: ReservationId = id.parse().expect("a reservation id");
        let state = app.load::<Reservation>(&id).await.expect("a store").expect("a reservation").state;
        match state.status {
            ReservationStatus::Held | ReservationStatus::Paying => {
                broken.push(format!("reservation {id} has not ended: {:?}", state.status));
            }
            ReservationStatus::Completed => {
                sold += state.order.as_ref().map_or(0, ticketing::reservation::Order::places);
                if let Some(payment) = state.payment {
                    completed.insert(payment, id);
                }
            }
            ReservationStatus::Unplaced | ReservationStatus::Expired | ReservationStatus::Cancelled => {}
        }
    }
    if sold != inventory.sold {
        broken.push(format!("{sold} places are in completed orders, {} are sold", inventory.sold));
    }
    broken.extend(money(app, ledger, &completed).await);
    broken.extend(views(app).await);
    let letters = app.dead_letters().list(&DeadLetterFilter::default(), PageRequest::first(10)).await;
    for letter in letters.expect("a store").items {
        broken.push(format!("dead letter: {:?}", letter.letter));
    }
    broken
}

/// Money is with us exactly for what was sold.
async fn money(
    app: &Application,
    ledger: &Ledger,
    completed: &BTreeMap<PaymentId, ReservationId>,
) -> Vec<String> {
    let mut broken = Vec::new();
    for entry in ledger.entries() {
        let is_kept = matches!(entry.fate, Fate::Charged { .. });
        match (is_kept, completed.get(&entry.payment)) {
            (true, None) => broken.push(format!("{entry:?} was taken and nothing was sold for it")),
            (false, Some(order)) => broken.push(format!("order {order} is completed but {entry:?}")),
            (true, Some(_)) | (false, None) => {}
        }
        if let Some(payment) = app.load::<Payment>(&entry.payment).await.expect("a store") {
            let status = payment.state.status;
            if status == PaymentStatus::Processing {
                broken.push(format!("payment {} has no outcome although {entry:?}", entry.payment));
            }
        }
    }
    let paid: Vec<_> = ledger.entries().into_iter().map(|entry| entry.payment).collect();
    for (payment, order) in completed {
        if !paid.contains(payment) {
            broken.push(format!("order {order} is completed without money"));
        }
    }
    broken
}

/// Every view equals a fresh fold of the log.
async fn views(app: &Application) -> Vec<String> {
    let mut broken = Vec::new();
    broken.extend(view(app, ShowList).await);
    broken.extend(view(app, Availability).await);
    broken.extend(view(app, ReservationList).await);
    broken.extend(view(app, TicketList).await);
    broken.extend(view(app, PaymentList).await);
    broken
}

async fn view<P: Projection>(app: &Application, projection: P) -> Option<String> {
    let head = app.events().signal().position();
    let view = app.view::<P>().at_least_position(head);
    view.query().page(1, 1).fetch().await.expect("a view that follows");
    let differences = verify(&projection, &view).await.expect("a log that can be folded");
    (!differences.is_empty()).then(|| format!("view {} differs from its log: {differences:?}", P::NAME))
}

/// The keys of all streams of a category.
async fn keys(app: &Application, category: &str) -> Vec<String> {
    let categories = [category.to_owned()];
    let mut keys = Vec::new();
    let mut after = Position::ZERO;
    loop {
        let query = LogQuery { after, limit: 1_000, categories: Some(&categories) };
        let page = app.events().read_log(query).await.expect("a store");
        let first = page.events.iter().filter(|event| event.version.get() == 1);
        keys.extend(first.map(|event| event.stream.key().to_owned()));
        if page.read_to >= page.horizon {
            return keys;
        }
        after = page.read_to;
    }
}
