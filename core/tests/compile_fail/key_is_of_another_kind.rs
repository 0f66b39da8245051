//! A key of another kind is no key: not of a row, not of an aggregate.
use composable_rust_core::{
    Action, Context, Decider, Decision, Effects, Events, Id, Never, Projection, Recorded, Row, Rows, State, Uuid,
};

#[derive(Debug, Clone, Default, State)]
struct Stock;

#[derive(Debug, Clone, PartialEq, Action)]
enum StockAction {
    #[command]
    Take { count: u32 },
    #[event]
    Taken { order: OrderId, count: u32 },
}

impl Decider for Stock {
    type Action = StockAction;
    type Rejection = Never;

    fn decide(&self, _: StockCommand, _: &Context) -> Decision<Self> {
        Ok(vec![])
    }

    fn evolve(&mut self, _: &StockEvent) {}
}

#[derive(Debug, Clone, Copy, PartialEq, Id)]
struct OrderId(Uuid);

#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "item")]
struct Shelf {
    item: String,
    count: u32,
}

#[derive(Debug, Clone, Events)]
enum ShelfEvent {
    Stock(StockEvent),
}

struct Shelves;

impl Projection for Shelves {
    type Event = ShelfEvent;
    type Row = Shelf;
    const NAME: &'static str = "shelves";

    fn project(&self, event: &Recorded<ShelfEvent>, rows: &mut Rows<Shelf>) {
        let ShelfEvent::Stock(StockEvent::Taken { order, count }) = &event.body;
        rows.update(count, |row| row.count -= 1);
        rows.delete(order);
        rows.upsert(&event.key, || Shelf { item: String::new(), count: 0 }, |_| {});
        rows.with(event.key.key(), |_, _| {});
    }
}

fn main() {
    let _: Effects<()> = Effects::dispatch(7, &StockCommand::Take { count: 1 }, |_| None);
}
