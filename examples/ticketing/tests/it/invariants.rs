//! What must be true when everything has come to rest, whatever happened before.

use composable_rust::port::{DeadLetterFilter, LogQuery, PageRequest};
use composable_rust::projections::verify;
use composable_rust::{Application, Position, Projection, RecordedEvent, StreamId};
use futures_util::future::join_all;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use ticketing::inventory::{Inventory, views::Availability};
use ticketing::payment::gateway::{Entry, Ledger};
use ticketing::payment::views::PaymentList;
use ticketing::payment::{Payment, PaymentStatus};
use ticketing::quota::Quota;
use ticketing::reservation::views::{ReservationList, SalesList, TicketList, TicketStatus};
use ticketing::reservation::{Order, Reservation, ReservationStatus};
use ticketing::shared::{PaymentId, QuotaId, ReservationId, SectionId, Ticket, worth_of};
use ticketing::show::views::ShowList;

/// What is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    NoOversell,
    HoldsEnd,
    PaidMeansTicketsOrRefund,
    MoneyMovesOnce,
    OutcomesAreKnown,
    LimitsCountWhatIsHad,
    ViewsEqualARebuild,
    NothingIsParked,
    StepsAreTakenOnce,
    KeysActOnce,
    TheBusTellsTheLog,
    NoTaskPanics,
}

impl Promise {
    pub(crate) const ALL: [Self; 12] = [
        Self::NoOversell,
        Self::HoldsEnd,
        Self::PaidMeansTicketsOrRefund,
        Self::MoneyMovesOnce,
        Self::OutcomesAreKnown,
        Self::LimitsCountWhatIsHad,
        Self::ViewsEqualARebuild,
        Self::NothingIsParked,
        Self::StepsAreTakenOnce,
        Self::KeysActOnce,
        Self::TheBusTellsTheLog,
        Self::NoTaskPanics,
    ];
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoOversell => "no oversell",
            Self::HoldsEnd => "no hold outlives its expiry",
            Self::PaidMeansTicketsOrRefund => "no paid reservation without tickets or refund",
            Self::MoneyMovesOnce => "money moves once, and as much as was asked for",
            Self::OutcomesAreKnown => "every activity's outcome is known",
            Self::LimitsCountWhatIsHad => "a customer's limit counts what the customer has",
            Self::ViewsEqualARebuild => "projections equal a full rebuild",
            Self::NothingIsParked => "nothing is left among the dead letters",
            Self::StepsAreTakenOnce => "no process takes a step again for an event that it has heard",
            Self::KeysActOnce => "what is asked for again under its key is done once",
            Self::TheBusTellsTheLog => {
                "who follows the bus acts on each event once, in the order of its stream"
            }
            Self::NoTaskPanics => "no task panics",
        })
    }
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) promise: Promise,
    pub(crate) how: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.how)
    }
}

/// One line for each.
pub(crate) fn told(broken: &[Broken]) -> String {
    broken.iter().map(Broken::to_string).collect::<Vec<_>>().join("\n")
}

/// Every promise that is not kept; none when all is well.
pub(crate) async fn broken(app: &Application, ledger: &Ledger) -> Vec<Broken> {
    let found = Found::of(app).await;
    let mut findings = Findings::default();
    for (section, inventory) in &found.sections {
        findings.places(*section, inventory, &found);
    }
    findings.orders(&found);
    findings.limits(app, &found).await;
    findings.money(app, &found, ledger).await;
    findings.tickets(app, &found).await;
    findings.outcomes(app).await;
    findings.steps(app).await;
    findings.views(app).await;
    findings.dead_letters(app).await;
    findings.0
}

/// What the log says.
struct Found {
    sections: BTreeMap<SectionId, Inventory>,
    orders: BTreeMap<ReservationId, Reservation>,
}

impl Found {
    async fn of(app: &Application) -> Self {
        let (mut sections, mut orders) = (BTreeMap::new(), BTreeMap::new());
        for id in keys(app, "inventory").await {
            let id: SectionId = id.parse().expect("a section id");
            let section = app.load::<Inventory>(&id).await.expect("a store").expect("an inventory");
            sections.insert(id, section.state);
        }
        for id in keys(app, "reservation").await {
            let id: ReservationId = id.parse().expect("a reservation id");
            let order = app.load::<Reservation>(&id).await.expect("a store").expect("a reservation");
            orders.insert(id, order.state);
        }
        Self { sections, orders }
    }

    /// Orders that were paid, whatever was given back since.
    fn paid(&self) -> impl Iterator<Item = (&ReservationId, &Reservation)> {
        self.orders.iter().filter(|(_, order)| order.status.is_paid())
    }
}

/// Tickets that nobody has given back.
fn kept(order: &Reservation) -> impl Iterator<Item = &Ticket> {
    order.tickets.iter().filter(|ticket| !order.refunded.contains(&ticket.id))
}

fn places(order: &Reservation) -> u32 {
    u32::try_from(kept(order).count()).expect("few tickets")
}

#[derive(Default)]
struct Findings(Vec<Broken>);

impl Findings {
    fn add(&mut self, promise: Promise, how: String) {
        self.0.push(Broken { promise, how });
    }

    fn places(&mut self, section: SectionId, inventory: &Inventory, found: &Found) {
        let counts = &inventory.counts;
        if !inventory.is_sound() {
            self.add(Promise::NoOversell, format!("places were lost or made up: {inventory:?}"));
        }
        let here = |ticket: &&Ticket| ticket.section_id == section;
        let tickets: Vec<_> = found.paid().flat_map(|(_, order)| kept(order)).filter(here).collect();
        let sold = tickets.len();
        if sold > counts.capacity as usize {
            self.add(Promise::NoOversell, format!("{sold} of {} places are paid", counts.capacity));
        }
        if sold != counts.sold as usize {
            let how = format!("{sold} places are in completed orders, {} are sold", counts.sold);
            self.add(Promise::NoOversell, how);
        }
        let mut seats = BTreeSet::new();
        for ticket in tickets {
            if let (Some(row), Some(seat)) = (&ticket.row, ticket.seat)
                && !seats.insert((row, seat))
            {
                self.add(Promise::NoOversell, format!("seat {row}{seat} is on two tickets"));
            }
        }
        if !counts.seats.is_empty() && seats.len() != counts.sold as usize {
            let how = format!("{} seats are on tickets, {} are sold", seats.len(), counts.sold);
            self.add(Promise::NoOversell, how);
        }
        if counts.held > 0 {
            self.add(Promise::HoldsEnd, format!("{} places are still held", counts.held));
        }
    }

    fn orders(&mut self, found: &Found) {
        for (id, order) in &found.orders {
            if matches!(order.status, ReservationStatus::Held | ReservationStatus::Paying) {
                self.add(Promise::HoldsEnd, format!("order {id} has not ended: {:?}", order.status));
            }
        }
    }

    async fn limits(&mut self, app: &Application, found: &Found) {
        let mut had = BTreeMap::new();
        for (id, order) in found.paid().filter(|(_, order)| places(order) > 0) {
            had.insert(*id, places(order));
        }
        let mut counted = BTreeMap::new();
        for id in keys(app, "quota").await {
            let id: QuotaId = id.parse().expect("a quota id");
            counted.extend(app.load::<Quota>(&id).await.expect("a store").expect("a quota").state.orders);
        }
        if had != counted {
            self.add(Promise::LimitsCountWhatIsHad, format!("bought {had:?}, counted {counted:?}"));
        }
    }

    /// Money is with us exactly for what was sold, and as much as it costs.
    async fn money(&mut self, app: &Application, found: &Found, ledger: &Ledger) {
        let by_payment = found.paid().filter_map(|(id, order)| Some((order.payment?, (id, order))));
        let completed: BTreeMap<PaymentId, _> = by_payment.collect();
        let entries: BTreeMap<_, Entry> =
            ledger.entries().into_iter().map(|entry| (entry.payment, entry)).collect();
        for (payment, (id, order)) in &completed {
            let is_free = order.order.as_ref().is_some_and(|order| order.total.is_zero());
            if !entries.contains_key(payment) && !is_free {
                let how = format!("order {id} is completed without money");
                self.add(Promise::PaidMeansTicketsOrRefund, how);
            }
        }
        for (payment, entry) in &entries {
            let order = completed.get(payment);
            let worth = order.and_then(|(_, order)| worth_of(kept(order))).map_or(0, |worth| worth.amount);
            match order {
                None if entry.kept() != 0 => {
                    let how = format!("{entry:?} was taken and nothing was sold for it");
                    self.add(Promise::PaidMeansTicketsOrRefund, how);
                }
                Some((id, order)) if entry.amount != order.order.as_ref().map(|order| order.total) => {
                    self.add(Promise::MoneyMovesOnce, format!("order {id} is {order:?}, but {entry:?}"));
                }
                Some((id, _)) if entry.kept() != worth => {
                    let how = format!("the tickets of order {id} cost {worth}, but {entry:?}");
                    self.add(Promise::PaidMeansTicketsOrRefund, how);
                }
                Some(_) | None => {}
            }
            let known = app.load::<Payment>(payment).await.expect("a store");
            let told =
                known.as_ref().and_then(|payment| payment.state.refunded).map_or(0, |told| told.amount);
            let given_back: i64 = entry.refunds.values().map(|refund| refund.amount).sum();
            if told != given_back {
                let how = format!("payment {payment} tells of {told} given back, but {entry:?}");
                self.add(Promise::MoneyMovesOnce, how);
            }
            let open = [PaymentStatus::Processing, PaymentStatus::RequiresAction];
            if known.is_some_and(|payment| open.contains(&payment.state.status)) {
                let how = format!("payment {payment} is still under way although {entry:?}");
                self.add(Promise::OutcomesAreKnown, how);
            }
        }
    }

    async fn tickets(&mut self, app: &Application, found: &Found) {
        for (id, order) in found.paid() {
            let query = app.view::<TicketList>().at_least_position(app.events().signal().position());
            let listed = query.query().filter_eq("reservation", *id).page(1, 100).fetch().await;
            let listed = listed.map(|page| page.items).unwrap_or_default();
            let valid = listed.iter().filter(|row| row.status == TicketStatus::Valid).count();
            let bought = order.order.as_ref().map_or(0, Order::places);
            if order.tickets.len() != bought as usize || valid != places(order) as usize {
                let how = format!("order {id} of {bought} places has {listed:?}");
                self.add(Promise::PaidMeansTicketsOrRefund, how);
            }
            let is_cancelled = kept(order).any(|ticket| {
                found.sections.get(&ticket.section_id).is_none_or(|section| section.is_cancelled)
            });
            if is_cancelled {
                let how = format!("order {id} of a cancelled show is not given back: {order:?}");
                self.add(Promise::PaidMeansTicketsOrRefund, how);
            }
            if !order.refunds.is_empty() {
                self.add(
                    Promise::OutcomesAreKnown,
                    format!("refunds of order {id} are under way: {order:?}"),
                );
            }
        }
    }

    /// No call waits for its answer.
    async fn outcomes(&mut self, app: &Application) {
        for stream in process_streams(app).await {
            for timer in app.storage().timers.pending(&stream).await.expect("a store") {
                let work = String::from_utf8_lossy(&timer.timer.payload).into_owned();
                if work.contains(r#""do":"call""#) {
                    self.add(Promise::OutcomesAreKnown, format!("{stream} still waits for {work}"));
                }
            }
        }
    }

    /// What a process dispatches and calls is told apart besides, so a step that is taken again shows here only.
    async fn steps(&mut self, app: &Application) {
        let mut heard = BTreeSet::new();
        let steps = join_all(PROCESSES.map(|process| events(app, process))).await.concat();
        for RecordedEvent { stream, payload, .. } in steps {
            let step: Value = serde_json::from_slice(&payload).expect("a step");
            let Some(event) = step.pointer("/input/event/id").and_then(Value::as_str) else { continue };
            if !heard.insert((stream.clone(), event.to_owned())) {
                self.add(Promise::StepsAreTakenOnce, format!("{stream} has heard event {event} before"));
            }
        }
    }

    async fn views(&mut self, app: &Application) {
        self.view(app, ShowList).await;
        self.view(app, Availability).await;
        self.view(app, ReservationList).await;
        self.view(app, TicketList).await;
        self.view(app, PaymentList).await;
        self.view(app, SalesList).await;
    }

    async fn view<P: Projection>(&mut self, app: &Application, projection: P) {
        let view = app.view::<P>().at_least_position(app.events().signal().position());
        if let Err(error) = view.query().page(1, 1).fetch().await {
            self.add(Promise::ViewsEqualARebuild, format!("view {} does not follow: {error}", P::NAME));
        }
        let differences = verify(&projection, &view).await.expect("a log that can be folded");
        if !differences.is_empty() {
            self.add(Promise::ViewsEqualARebuild, format!("view {}: {differences:?}", P::NAME));
        }
    }

    async fn dead_letters(&mut self, app: &Application) {
        let letters = app.dead_letters().list(&DeadLetterFilter::default(), PageRequest::first(10)).await;
        for letter in letters.expect("a store").items {
            self.add(Promise::NothingIsParked, format!("{:?}", letter.letter));
        }
    }
}

/// The steps of each process.
const PROCESSES: [&str; 3] = ["process-checkout", "process-refunding", "process-cancelling"];

/// Every instance of every process.
async fn process_streams(app: &Application) -> Vec<StreamId> {
    let mut streams = Vec::new();
    for process in PROCESSES {
        let of_process = keys(app, process).await;
        streams.extend(of_process.iter().map(|key| StreamId::new(process, key).expect("a stream")));
    }
    streams
}

/// The keys of all streams of a category.
pub(crate) async fn keys(app: &Application, category: &str) -> Vec<String> {
    let events = events(app, category).await.into_iter().filter(|event| event.version.get() == 1);
    events.map(|event| event.stream.key().to_owned()).collect()
}

/// All events of a category.
pub(crate) async fn events(app: &Application, category: &str) -> Vec<RecordedEvent> {
    let categories = [category.to_owned()];
    let (mut events, mut after) = (Vec::new(), Position::ZERO);
    loop {
        let query = LogQuery::after(after, 1_000).of(Some(&categories));
        let page = app.events().read_log(query).await.expect("a store");
        events.extend(page.events);
        if page.read_to >= page.horizon {
            return events;
        }
        after = page.read_to;
    }
}
