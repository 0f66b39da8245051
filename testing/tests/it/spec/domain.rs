//! A small domain: places of a section, held and sold; the process that lets holds lapse; the rows that show them.

use composable_rust_core::{
    Action, Call, Context, Data, Decider, Decision, EventOf, Id, Input, Label, Outcome, Process, ProcessId,
    Projection, Recorded, Rejected, Rejection, Row, Rows, State, Steps, call, cancel, dispatch, later,
    schedule, steps,
};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Id)]
pub(crate) struct HoldId(Uuid);

#[derive(Debug, Clone, Default, State)]
pub(crate) struct Section {
    pub(crate) capacity: u32,
    pub(crate) held: BTreeMap<HoldId, u32>,
    pub(crate) sold: u32,
}

#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "section")]
pub(crate) enum SectionAction {
    #[command]
    Open { capacity: u32 },
    #[command]
    Hold { count: u32 },
    #[command]
    Release { hold: HoldId },
    #[command]
    Sell { hold: HoldId },

    #[event]
    Opened { capacity: u32 },
    #[event]
    Held { hold: HoldId, count: u32 },
    #[event]
    Released { hold: HoldId },
    #[event]
    Sold { hold: HoldId },
}

#[derive(Debug, Clone, PartialEq, Eq, Rejection)]
pub(crate) enum SectionRejection {
    #[rejection(message = "only {free} places are free")]
    SeatsUnavailable { free: u32 },
    #[rejection(kind = NotFound)]
    NoSuchHold,
}

impl Section {
    pub(crate) fn free(&self) -> u32 {
        self.capacity - self.sold - self.held.values().sum::<u32>()
    }

    fn existing(&self, hold: HoldId) -> Result<HoldId, SectionRejection> {
        self.held.contains_key(&hold).then_some(hold).ok_or(SectionRejection::NoSuchHold)
    }
}

impl Decider for Section {
    type Action = SectionAction;
    type Rejection = SectionRejection;

    fn decide(&self, command: SectionCommand, context: &Context) -> Decision<Self> {
        Ok(match command {
            SectionCommand::Open { capacity } if self.capacity == capacity => vec![],
            SectionCommand::Open { capacity } => vec![SectionEvent::Opened { capacity }],
            SectionCommand::Hold { count } if count > self.free() => {
                return Err(SectionRejection::SeatsUnavailable { free: self.free() });
            }
            SectionCommand::Hold { count } => vec![SectionEvent::Held { hold: context.id(0), count }],
            SectionCommand::Release { hold } => vec![SectionEvent::Released { hold: self.existing(hold)? }],
            SectionCommand::Sell { hold } => vec![SectionEvent::Sold { hold: self.existing(hold)? }],
        })
    }

    fn evolve(&mut self, event: &SectionEvent) {
        match event {
            SectionEvent::Opened { capacity } => self.capacity = *capacity,
            SectionEvent::Held { hold, count } => drop(self.held.insert(*hold, *count)),
            SectionEvent::Released { hold } => drop(self.held.remove(hold)),
            SectionEvent::Sold { hold } => self.sold += self.held.remove(hold).unwrap_or_default(),
        }
    }
}

pub(crate) fn hold(number: u128) -> HoldId {
    HoldId::from(Uuid::from_u128(number))
}

pub(crate) const HOLD_LASTS: Duration = Duration::from_mins(10);

#[derive(Debug, Clone, PartialEq, Eq, Call)]
#[call(answer = Mailed)]
pub(crate) struct Mail {
    pub(crate) about: HoldId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Label)]
pub(crate) enum Mailed {
    Sent,
    Bounced,
}

#[derive(Debug, Clone, PartialEq, Data)]
pub(crate) enum Step {
    New,
    Holding,
    Done,
}

/// Releases a hold when its time is over, and tells the customer.
#[derive(Debug, Clone, State)]
pub(crate) struct Expiry {
    pub(crate) step: Step,
}

impl Default for Expiry {
    fn default() -> Self {
        Self { step: Step::New }
    }
}

#[derive(Debug, Clone, PartialEq, Input)]
pub(crate) enum ExpiryInput {
    Section(String, SectionEvent),
    #[rejected]
    Refused(Rejected<Section>),
    #[outcome]
    Mailed(Outcome<Mail>),
    #[timer]
    HoldEnds {
        section: String,
        hold: HoldId,
    },
}

impl Process for Expiry {
    type Input = ExpiryInput;
    const NAME: &'static str = "expiry";

    fn id(input: &ExpiryInput) -> Option<ProcessId> {
        match input {
            ExpiryInput::Section(
                _,
                SectionEvent::Held { hold, .. }
                | SectionEvent::Sold { hold }
                | SectionEvent::Released { hold },
            ) => Some(ProcessId::of(hold)),
            ExpiryInput::Section(_, SectionEvent::Opened { .. })
            | ExpiryInput::Refused(_)
            | ExpiryInput::Mailed(_)
            | ExpiryInput::HoldEnds { .. } => None,
        }
    }

    fn react(&mut self, input: Recorded<ExpiryInput>) -> Steps<Self> {
        match input.body {
            ExpiryInput::Section(section, SectionEvent::Held { hold, .. }) => {
                self.step = Step::Holding;
                steps![schedule(
                    ExpiryTimer::HoldEnds { section, hold },
                    later(input.recorded_at, HOLD_LASTS)
                )]
            }
            ExpiryInput::HoldEnds { section, hold } => {
                self.step = Step::Done;
                steps![dispatch(section, SectionCommand::Release { hold }), call(Mail { about: hold })]
            }
            ExpiryInput::Section(section, SectionEvent::Sold { hold }) => {
                self.step = Step::Done;
                steps![cancel(ExpiryTimer::HoldEnds { section, hold })]
            }
            ExpiryInput::Section(_, SectionEvent::Opened { .. } | SectionEvent::Released { .. })
            | ExpiryInput::Refused(_)
            | ExpiryInput::Mailed(_) => steps![],
        }
    }
}

/// How many places are held, by section.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holds;

#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "section", index = "held")]
pub(crate) struct HoldsRow {
    pub(crate) section: String,
    pub(crate) held: u32,
}

impl Projection for Holds {
    type Event = EventOf<Section>;
    type Row = HoldsRow;
    const NAME: &'static str = "holds";

    fn project(&self, event: &Recorded<SectionEvent>, rows: &mut Rows<HoldsRow>) {
        match event.body {
            SectionEvent::Opened { .. } => rows.put(HoldsRow { section: event.key().clone(), held: 0 }),
            SectionEvent::Held { count, .. } => rows.update(event.key(), |row| row.held += count),
            SectionEvent::Released { .. } => rows.delete(event.key()),
            SectionEvent::Sold { .. } => {}
        }
    }
}
