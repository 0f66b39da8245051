//! Specifications of processes.

use super::failure::{differ, fail, listed};
use super::wire::check_state;
use super::{record, time_of};
use composable_rust_core::{Process, ProcessEffect, ProcessId, Recorded, Steps};
use jiff::Timestamp;

/// What a process instance has heard before.
#[derive(Debug, Clone)]
pub struct GivenInputs<P: Process> {
    inputs: Vec<P::Input>,
    state: P,
    id: Option<ProcessId>,
}

/// An input to be reacted to; nothing is checked before one of its `then…`.
#[derive(Debug, Clone)]
#[must_use = "say what follows: `.then(steps![…])`, `.then_nothing()` or `.then_state(…)`"]
pub struct WhenInput<P: Process> {
    given: GivenInputs<P>,
    input: P::Input,
    now: Timestamp,
}

/// What followed was as expected; more may be said about the state.
#[derive(Debug, Clone)]
pub struct ThenSteps<P: Process> {
    state: P,
}

/// An instance that has heard these inputs, one second after the other from [`START`](super::START).
///
/// # Panics
/// When an input is for another instance than the first one, or a state or step does not survive its encoding.
#[track_caller]
pub fn given_inputs<P: Process>(inputs: impl IntoIterator<Item = P::Input>) -> GivenInputs<P> {
    let mut given = GivenInputs { inputs: Vec::new(), state: P::default(), id: None };
    for input in inputs {
        let now = time_of(given.number());
        given.react(input, now);
    }
    given
}

/// An instance that has heard nothing.
#[track_caller]
pub fn given_no_inputs<P: Process>() -> GivenInputs<P> {
    given_inputs::<P>(std::iter::empty())
}

impl<P: Process> GivenInputs<P> {
    /// An input arrives.
    pub fn when(self, input: P::Input) -> WhenInput<P> {
        let now = time_of(self.number());
        WhenInput { given: self, input, now }
    }

    /// Looks at the state that the inputs have made.
    pub fn then_state(&self, look: impl FnOnce(&P)) {
        look(&self.state);
    }

    /// The number of the next input, from 1.
    fn number(&self) -> u32 {
        u32::try_from(self.inputs.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Hears one input; the steps that follow are checked to be storable.
    #[track_caller]
    fn react(&mut self, input: P::Input, now: Timestamp) -> Steps<P> {
        let number = self.number();
        self.inputs.push(input.clone());
        let id = self.instance(&input);
        let steps = self.state.react(recorded::<P>(input, id, number, now));
        for step in &steps {
            if let Err(error) = step.effect() {
                fail(&format!("a step cannot be stored: {error}\n\n{}", self.story()));
            }
        }
        check_state(&self.state);
        steps
    }

    /// The instance that the input is for: that of the first input which names one.
    #[track_caller]
    fn instance(&mut self, input: &P::Input) -> ProcessId {
        let named = P::id(input);
        match (&self.id, named) {
            (Some(first), Some(named)) if *first != named => fail(&format!(
                "the inputs are for two instances of {:?}, {first} and {named}\n\n{}",
                P::NAME,
                self.story()
            )),
            (Some(first), _) => first.clone(),
            (None, Some(named)) => self.id.insert(named).clone(),
            (None, None) => ProcessId::of(&"test"),
        }
    }

    fn story(&self) -> String {
        listed("inputs", &self.inputs)
    }
}

impl<P: Process> WhenInput<P> {
    /// The input's time; a second after the last given one unless said otherwise.
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// These steps follow, in this order.
    ///
    /// # Panics
    /// When others do.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "steps are written as a value: `.then(steps![…])`")]
    pub fn then(self, steps: Steps<P>) -> ThenSteps<P> {
        let (given, actual) = self.reacted();
        if steps != actual {
            differ("other steps follow", &shown(&steps), &shown(&actual), &given.story());
        }
        ThenSteps { state: given.state }
    }

    /// Nothing is to be done.
    ///
    /// # Panics
    /// When something is.
    #[track_caller]
    pub fn then_nothing(self) -> ThenSteps<P> {
        self.then(Vec::new())
    }

    /// Looks at the state, whatever is to be done.
    #[track_caller]
    pub fn then_state(self, look: impl FnOnce(&P)) -> ThenSteps<P> {
        let (given, _) = self.reacted();
        look(&given.state);
        ThenSteps { state: given.state }
    }

    /// Reacts twice: steps that differ depend on something that the process must not know.
    #[track_caller]
    fn reacted(self) -> (GivenInputs<P>, Steps<P>) {
        let (mut first, mut second) = (self.given.clone(), self.given);
        let steps = first.react(self.input.clone(), self.now);
        let again = second.react(self.input, self.now);
        if steps != again {
            let what =
                "the same input led to different steps: no clock, no fresh ids, no map's order in `react`";
            differ(what, &shown(&steps), &shown(&again), &first.story());
        }
        (first, steps)
    }
}

impl<P: Process> ThenSteps<P> {
    /// Looks at the state afterwards.
    pub fn then_state(&self, look: impl FnOnce(&P)) -> &Self {
        look(&self.state);
        self
    }
}

fn recorded<P: Process>(input: P::Input, id: ProcessId, number: u32, now: Timestamp) -> Recorded<P::Input> {
    record(input, id, number, now)
}

/// Steps as they are stored, one after the other.
fn shown<P>(steps: &Steps<P>) -> String {
    let effect = |effect: &ProcessEffect| {
        serde_json::to_string_pretty(effect).unwrap_or_else(|error| format!("{effect:?} ({error})"))
    };
    let lines: Vec<_> = steps
        .iter()
        .map(|step| step.effect().map_or_else(|error| format!("not encodable: {error}"), effect))
        .collect();
    if lines.is_empty() { "nothing\n".to_owned() } else { lines.join("\n") + "\n" }
}
