//! Generations in the store: numbering, the build under way, the switch, and the clearing of replaced ones.
//!
//! Three checkpoints keep the books, all under the projection's lease, so a late writer is refused, also one that would
//! switch: `…:generations` (the last number given; each holder saves its fence there before anything else), `…:building:DEFINITION` (the number under which that definition is or was
//! built; a crash resumes it) and `…:dropped` (everything up to here is cleared). Numbers are never given twice.

use super::{Live, Shared, subscription_name};
use composable_rust_core::Position;
use composable_rust_core::port::{Checkpoint, DeadLetterFilter, DlqStatus, Lease, PageRequest, StoreError};

/// What this instance should maintain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// The live generation, if it is of this code's definition.
    pub(super) follow: Option<u32>,
    /// The generation being built to replace the live one.
    pub(super) build: Option<u32>,
}

/// Dead letters cleared at once.
const LETTERS: u32 = 500;

impl Shared {
    /// What to maintain now; makes the first generation, and the next one when the definition changed.
    ///
    /// `None` when another definition has replaced one that this code had live: then the other code is newer.
    pub(super) async fn plan(&self, had_live: bool) -> Result<Option<Plan>, StoreError> {
        let live = match self.look_up_live().await? {
            Some(live) => live,
            None => self.make_first().await?,
        };
        let ours = live.definition == self.definition;
        if !ours && had_live {
            return Ok(None);
        }
        let build = match self.building(&live).await? {
            None if !ours => Some(self.make_next().await?),
            build => build,
        };
        Ok(Some(Plan { follow: ours.then_some(live.generation), build }))
    }

    /// Makes the generation that replaces the live one, unless one is being built; answers its number.
    pub(super) async fn make_next(&self) -> Result<u32, StoreError> {
        self.administer(async |lease| {
            let Some(live) = self.look_up_live().await? else { return Ok(1) };
            if let Some(building) = self.building(&live).await? {
                return Ok(building);
            }
            let generation = self.give_number(lease).await?;
            self.save(&self.building_book(), generation, lease).await?;
            Ok(generation)
        })
        .await
    }

    /// Makes `generation` the live one, unless a newer one is; answers whether it did.
    pub(super) async fn switch_to(&self, generation: u32) -> Result<bool, StoreError> {
        self.administer(async |lease| {
            if self.look_up_live().await?.is_some_and(|live| live.generation >= generation) {
                return Ok(false);
            }
            self.make_live(generation, lease).await?;
            Ok(true)
        })
        .await
    }

    /// Clears everything that generations before the live one left.
    pub(super) async fn drop_replaced(&self) -> Result<(), StoreError> {
        let book = format!("projection:{}:dropped", self.name);
        let Some(live) = self.look_up_live().await? else { return Ok(()) };
        let before_live = live.generation.saturating_sub(1);
        if self.load(&book).await? >= before_live {
            return Ok(());
        }
        self.administer(async |lease| {
            for generation in self.load(&book).await? + 1..=before_live {
                self.deps.storage.views.drop_generation(&self.model(generation)).await?;
                self.discard_letters(generation).await?;
            }
            self.save(&book, before_live, lease).await
        })
        .await
    }

    pub(super) async fn make_first(&self) -> Result<Live, StoreError> {
        self.administer(async |lease| {
            if let Some(live) = self.look_up_live().await? {
                return Ok(live);
            }
            let generation = self.give_number(lease).await?;
            self.make_live(generation, lease).await
        })
        .await
    }

    async fn make_live(&self, generation: u32, lease: &Lease) -> Result<Live, StoreError> {
        let checkpoint = checkpoint(&self.generations_book(), generation, lease);
        let views = &self.deps.storage.views;
        views.switch_generation(self.name, generation, &self.definition, checkpoint).await?;
        let live = Live { generation, definition: self.definition.clone() };
        self.set_live(Some(live.clone()));
        tracing::info!(projection = self.name, generation, "generation is live");
        Ok(live)
    }

    /// A number that no generation had before, with its table.
    async fn give_number(&self, lease: &Lease) -> Result<u32, StoreError> {
        let book = self.generations_book();
        let generation = self.load(&book).await? + 1;
        self.save(&book, generation, lease).await?;
        self.deps.storage.views.prepare(&self.model(generation)).await?;
        Ok(generation)
    }

    /// The generation being built by this definition to replace the live one.
    async fn building(&self, live: &Live) -> Result<Option<u32>, StoreError> {
        let building = self.load(&self.building_book()).await?;
        Ok((building > live.generation).then_some(building))
    }

    fn generations_book(&self) -> String {
        format!("projection:{}:generations", self.name)
    }

    fn building_book(&self) -> String {
        format!("projection:{}:building:{}", self.name, self.definition)
    }

    /// The letters of a generation that is gone say nothing any more: its successor has handled those events anew.
    async fn discard_letters(&self, generation: u32) -> Result<(), StoreError> {
        let queue = &self.deps.storage.dead_letters;
        let unresolved = [DlqStatus::Pending, DlqStatus::Processing];
        let filter = DeadLetterFilter {
            subscription: Some(subscription_name(self.name, generation)),
            statuses: unresolved.to_vec(),
            ..DeadLetterFilter::default()
        };
        let notes = Some("its generation was replaced");
        loop {
            let letters = queue.list(&filter, PageRequest::first(LETTERS)).await?.items;
            if letters.is_empty() {
                return Ok(());
            }
            for found in letters {
                let id = found.letter.id;
                queue.transition(id, &unresolved, DlqStatus::Discarded, Some("rebuild"), notes).await?;
            }
        }
    }

    /// Runs `work` under the projection's lease. From the start on, whatever an earlier holder still does is refused.
    async fn administer<T>(
        &self,
        work: impl AsyncFnOnce(&Lease) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _one_at_a_time = self.administration.lock().await;
        let leasing = self.leasing();
        let Some(lease) = leasing.acquire(&self.deps, self.stop()).await else {
            return Err(StoreError::unavailable(
                "change a projection's generations",
                "its application shuts down",
            ));
        };
        let result = match self.save(&self.generations_book(), 0, &lease).await {
            Ok(()) => work(&lease).await,
            Err(error) => Err(error),
        };
        leasing.release(&self.deps, &lease).await;
        result
    }

    async fn load(&self, book: &str) -> Result<u32, StoreError> {
        let position = self.deps.storage.checkpoints.load_checkpoint(book).await?;
        u32::try_from(position.get()).map_err(|_| StoreError::Corrupt(format!("{book} is at {position}")))
    }

    async fn save(&self, book: &str, number: u32, lease: &Lease) -> Result<(), StoreError> {
        self.deps.storage.checkpoints.save_checkpoint(checkpoint(book, number, lease)).await
    }
}

fn checkpoint(book: &str, number: u32, lease: &Lease) -> Checkpoint {
    Checkpoint { subscription: book.to_owned(), position: Position::from(number), fence: lease.fence }
}
