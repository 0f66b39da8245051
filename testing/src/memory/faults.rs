//! Faults to inject into the memory adapters: by script for a test of one case, by chance for a simulation.
//!
//! Not here: what a crash does to the application. An adapter that crashed never answers again; whoever drives the
//! simulation waits for [`Faults::crashed`], drops the application's tasks, and starts anew after [`Faults::revive`].

use composable_rust_core::{Clock, Randomness};
use event_listener::Event;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The operations that a script may name: the methods of the ports. `append` is every append, batches too.
const OPERATIONS: [&str; 38] = [
    "open",
    "append",
    "read_stream",
    "stream_version",
    "read_log",
    "find_command",
    "save_response",
    "due",
    "next_due",
    "queues",
    "postpone",
    "remove",
    "pending",
    "load_snapshot",
    "save_snapshot",
    "prepare",
    "load",
    "commit",
    "get",
    "query",
    "live_generation",
    "switch_generation",
    "drop_generation",
    "load_checkpoint",
    "save_checkpoint",
    "acquire",
    "release",
    "add_dead_letter",
    "get_dead_letter",
    "list_dead_letters",
    "parked_streams",
    "transition",
    "dead_letter_stats",
    "publish",
    "subscribe",
    "receive",
    "commit_offsets",
    "lag",
];

/// What goes wrong in one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It fails before its effect: nothing is written.
    Fail,
    /// It takes effect, but the answer is lost: the caller gets an error and cannot know.
    Lose,
    /// It takes this long, by the clock of the environment.
    Delay(Duration),
    /// The application crashes at this moment of it.
    Crash(Moment),
    /// Messages received now are received once more (bus only).
    Duplicate,
    /// Messages of different streams change places; each stream keeps its order (bus only).
    Reorder,
}

/// On which side of an operation's effect something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// Before the effect.
    Before,
    /// After the effect, before the answer.
    After,
}

/// An await point of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The operation, for example `append`.
    pub operation: &'static str,
    /// Which of its two points.
    pub moment: Moment,
    /// How many points came before it, over all adapters that share the plan.
    pub number: u64,
}

/// How often each fault strikes, as a chance from 0 to 1 for each operation. The default is never.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FaultRates {
    /// Fails before the effect.
    pub fail: f64,
    /// Takes effect, but the answer is lost.
    pub lose: f64,
    /// Is delayed, before or after the effect.
    pub delay: f64,
    /// The longest delay.
    pub longest_delay: Duration,
    /// Crashes the application, before or after the effect.
    pub crash: f64,
    /// Delivers messages twice.
    pub duplicate: f64,
    /// Mixes messages of different streams.
    pub reorder: f64,
}

/// The failure that a caller sees as the source of its error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a test injected a fault into {operation}, {} its effect", match .moment { Moment::Before => "before", Moment::After => "after" })]
pub struct InjectedFault {
    /// The operation.
    pub operation: &'static str,
    /// Whether it had taken effect.
    pub moment: Moment,
}

/// A plan of faults, shared by clones: give the same one to the storage, the bus and whatever else may fail.
///
/// ```
/// use composable_rust_testing::memory::Faults;
/// let faults = Faults::scripted();
/// faults.fail_next("append"); // nothing is written
/// faults.lose_next("append"); // the one after is written, and its caller is told that it failed
/// ```
#[derive(Debug, Clone, Default)]
pub struct Faults {
    plan: Option<Arc<Plan>>,
}

#[derive(Debug)]
struct Plan {
    chance: Option<(Arc<dyn Randomness>, FaultRates)>,
    state: Mutex<PlanState>,
    crash: Event,
}

type CrashRule = Box<dyn FnMut(&Point) -> bool + Send>;

#[derive(Default)]
struct PlanState {
    script: BTreeMap<&'static str, VecDeque<Fault>>,
    crash_rule: Option<CrashRule>,
    points: u64,
    calm: bool,
    crashed: bool,
    injected: BTreeMap<(&'static str, &'static str), u64>,
}

impl fmt::Debug for PlanState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { script, points, calm, crashed, .. } = self;
        write!(f, "PlanState({script:?}, points: {points}, calm: {calm}, crashed: {crashed})")
    }
}

impl Faults {
    /// No faults, at no cost.
    pub const fn none() -> Self {
        Self { plan: None }
    }

    /// No faults but those that the test asks for.
    pub fn scripted() -> Self {
        Self::plan(None)
    }

    /// Faults by chance, beside those that the test asks for. `random` should be the plan's own, so that other users
    /// of randomness do not shift it.
    pub fn seeded(random: Arc<dyn Randomness>, rates: FaultRates) -> Self {
        Self::plan(Some((random, rates)))
    }

    fn plan(chance: Option<(Arc<dyn Randomness>, FaultRates)>) -> Self {
        Self { plan: Some(Arc::new(Plan { chance, state: Mutex::default(), crash: Event::new() })) }
    }

    /// The next `operation` that has no fault yet fails before its effect.
    pub fn fail_next(&self, operation: &str) {
        self.next(operation, Fault::Fail);
    }

    /// The next `operation` that has no fault yet takes effect, and its answer is lost.
    pub fn lose_next(&self, operation: &str) {
        self.next(operation, Fault::Lose);
    }

    /// Adds `fault` to those that the next operations of this name meet, one each.
    ///
    /// # Panics
    /// When there is no such operation, or the plan is [`Faults::none`]: the test would prove nothing.
    #[expect(
        clippy::expect_used,
        clippy::panic,
        reason = "a slip in a test's script must not pass unnoticed"
    )]
    pub fn next(&self, operation: &str, fault: Fault) {
        let plan = self.plan.as_ref().expect("a plan to add to: use Faults::scripted()");
        let known = OPERATIONS.iter().find(|known| **known == operation);
        let known = known.unwrap_or_else(|| panic!("no operation {operation:?}; there are {OPERATIONS:?}"));
        plan.lock().script.entry(known).or_default().push_back(fault);
    }

    /// Crashes the application at each point for which `rule` answers `true`; replaces an earlier rule. The rule sees
    /// every point, so it can also keep a record of them; it must not call this plan. Without effect on
    /// [`Faults::none`].
    pub fn crash_when(&self, rule: impl FnMut(&Point) -> bool + Send + 'static) {
        if let Some(plan) = &self.plan {
            plan.lock().crash_rule = Some(Box::new(rule));
        }
    }

    /// Completes when the application has crashed; never on [`Faults::none`].
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn crashed(&self) {
        let Some(plan) = &self.plan else { return std::future::pending().await };
        loop {
            let crash = plan.crash.listen();
            if plan.lock().crashed {
                return;
            }
            crash.await;
        }
    }

    /// Lets operations work again. What was called before stays without an answer, so drop the old tasks first.
    pub fn revive(&self) {
        if let Some(plan) = &self.plan {
            plan.lock().crashed = false;
        }
    }

    /// Ends (`true`) or resumes (`false`) faults by chance and crash rules, so that a simulation can settle.
    pub fn calm(&self, calm: bool) {
        if let Some(plan) = &self.plan {
            plan.lock().calm = calm;
        }
    }

    /// How often each fault has struck, by operation and kind: a simulation shows with it that it tried something.
    pub fn injected(&self) -> BTreeMap<(&'static str, &'static str), u64> {
        self.plan.as_ref().map(|plan| plan.lock().injected.clone()).unwrap_or_default()
    }

    /// How many await points have passed.
    pub fn points(&self) -> u64 {
        self.plan.as_ref().map_or(0, |plan| plan.lock().points)
    }

    /// The await point before an effect.
    pub(super) async fn begin(
        &self,
        operation: &'static str,
        clock: &Arc<dyn Clock>,
    ) -> Result<Call, InjectedFault> {
        let Some(plan) = &self.plan else {
            tokio::task::yield_now().await;
            return Ok(Call { plan: None, operation, faults: Vec::new() });
        };
        let faults = plan.draw(operation);
        let call = Call { plan: Some(Arc::clone(plan)), operation, faults };
        call.point(Moment::Before, clock).await?;
        Ok(call)
    }
}

impl Plan {
    fn lock(&self) -> MutexGuard<'_, PlanState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this call of `operation` will meet: the next of its script, else whatever chance gives.
    fn draw(&self, operation: &'static str) -> Vec<Fault> {
        let mut state = self.lock();
        if let Some(fault) = state.script.get_mut(operation).and_then(VecDeque::pop_front) {
            return vec![fault];
        }
        let Some((random, rates)) = self.chance.as_ref().filter(|_| !state.calm) else { return Vec::new() };
        drop(state);
        let strikes = |rate: f64| rate > 0.0 && random.next_f64() < rate;
        let mut faults = Vec::new();
        if strikes(rates.delay) {
            faults.push(Fault::Delay(rates.longest_delay.mul_f64(random.next_f64())));
        }
        if strikes(rates.crash) {
            let early = random.next_u64().is_multiple_of(2);
            faults.push(Fault::Crash(if early { Moment::Before } else { Moment::After }));
        }
        for (rate, fault) in [
            (rates.fail, Fault::Fail),
            (rates.lose, Fault::Lose),
            (rates.duplicate, Fault::Duplicate),
            (rates.reorder, Fault::Reorder),
        ] {
            if strikes(rate) {
                faults.push(fault);
            }
        }
        faults
    }

    /// Passes an await point; `true` when the application has crashed there or before.
    fn pass(&self, operation: &'static str, moment: Moment, crash: bool) -> bool {
        let mut guard = self.lock();
        let state = &mut *guard;
        let point = Point { operation, moment, number: state.points };
        state.points += 1;
        let ruled = state.crash_rule.as_mut().is_some_and(|rule| rule(&point)) && !state.calm;
        if (crash || ruled) && !state.crashed {
            state.crashed = true;
            *state.injected.entry((operation, "crash")).or_default() += 1;
            self.crash.notify(usize::MAX);
        }
        state.crashed
    }

    fn count(&self, operation: &'static str, kind: &'static str) {
        *self.lock().injected.entry((operation, kind)).or_default() += 1;
    }
}

/// An operation under way, with what it will meet.
#[derive(Debug)]
pub(super) struct Call {
    plan: Option<Arc<Plan>>,
    operation: &'static str,
    faults: Vec<Fault>,
}

impl Call {
    /// The await point after an effect.
    pub(super) async fn finish(self, clock: &Arc<dyn Clock>) -> Result<(), InjectedFault> {
        if self.plan.is_none() {
            tokio::task::yield_now().await;
            return Ok(());
        }
        self.point(Moment::After, clock).await
    }

    /// Whether `fault` was drawn; for those that the adapter carries out itself.
    pub(super) fn meets(&self, fault: Fault, kind: &'static str) -> bool {
        let meets = self.faults.contains(&fault);
        if let Some(plan) = self.plan.as_ref().filter(|_| meets) {
            plan.count(self.operation, kind);
        }
        meets
    }

    async fn point(&self, moment: Moment, clock: &Arc<dyn Clock>) -> Result<(), InjectedFault> {
        let Some(plan) = &self.plan else { return Ok(()) };
        tokio::task::yield_now().await;
        self.delay(plan, moment, clock).await;
        let crash = self.faults.contains(&Fault::Crash(moment));
        if plan.pass(self.operation, moment, crash) {
            return std::future::pending().await;
        }
        let (fault, kind) = match moment {
            Moment::Before => (Fault::Fail, "fail"),
            Moment::After => (Fault::Lose, "lose"),
        };
        if self.meets(fault, kind) {
            return Err(InjectedFault { operation: self.operation, moment });
        }
        Ok(())
    }

    /// Half of the delays come before the effect, half after: by their own last bit, so that no draw is needed.
    async fn delay(&self, plan: &Plan, moment: Moment, clock: &Arc<dyn Clock>) {
        for fault in &self.faults {
            let Fault::Delay(duration) = fault else { continue };
            let early = plan.chance.is_none() || duration.as_nanos().is_multiple_of(2);
            if early == (moment == Moment::Before) {
                plan.count(self.operation, "delay");
                clock.sleep(*duration).await;
            }
        }
    }
}
