//! `/api/events`: make, find, publish, sell, cancel.

use super::views::{ListedShow, ShowList, folded};
use super::{Changed, Listing, NewShow, Section, Show, ShowChange, ShowCommand, ShowStatus};
use crate::inventory::InventoryCommand;
use crate::shared::{Places, ShowId};
use axum::extract::State;
use axum::http::StatusCode;
use composable_rust::later;
use composable_rust::prelude::*;
use composable_rust::runtime::ViewQuery;
use composable_rust::web::{Endpoint, Routes, body_limit, get, post};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Largest body of an event, in bytes: fifty sections of ten tiers.
const LARGEST_EVENT: usize = 512 * 1024;

/// The routes of this slice.
pub fn routes() -> Routes {
    Routes::new()
        .route(
            "/api/events",
            post(create)
                .about("Makes a draft")
                .layer(body_limit(LARGEST_EVENT))
                .get(list)
                .about("Finds events"),
        )
        .route(
            "/api/events/{id}",
            get(one)
                .about("An event")
                .delete(cancel)
                .about("Cancels an event and gives all money back")
                .refuses(StatusCode::CONFLICT, &["wrong_state"])
                .put(update)
                .about("Changes an event; what is left out stays")
                .refuses(StatusCode::CONFLICT, &["wrong_state"])
                .layer(body_limit(LARGEST_EVENT)),
        )
        .route("/api/events/{id}/publish", step(post(publish).about("Shows a draft to everybody")))
        .route("/api/events/{id}/open-sales", step(post(open_sales).about("Begins to sell, or begins again")))
        .route("/api/events/{id}/close-sales", step(post(close_sales).about("Ends selling")))
}

/// A step that an event takes once, from where it stands.
fn step(endpoint: Endpoint) -> Endpoint {
    endpoint.refuses(StatusCode::CONFLICT, &["wrong_state"])
}

/// A show as the API shows it.
#[derive(Debug, Serialize, JsonSchema)]
struct EventBody {
    id: ShowId,
    version: StreamVersion,
    status: ShowStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_reason: Option<String>,
    #[serde(flatten)]
    listing: Option<Listing>,
}

impl EventBody {
    fn new(id: ShowId, version: StreamVersion, show: &Show) -> Self {
        let Show { status, cancel_reason, listing, .. } = show.clone();
        Self { id, version, status, cancel_reason, listing }
    }
}

// The decider checks every rule.
impl Validate for NewShow {}

async fn create(
    State(app): State<Application>,
    principal: Principal,
    command: CommandRequest,
    JsonBody(show): JsonBody<NewShow>,
) -> Result<Created<EventBody>, Problem> {
    let id: ShowId = command.new_id(0);
    let create = ShowCommand::Create { owner: principal.user_id, show };
    let receipt = app.execute(id, create).request(command.context()).await?;
    let body = EventBody::new(id, receipt.version, &receipt.state);
    Ok(Written::created(&receipt, format!("/api/events/{id}"), body))
}

/// What a list can be narrowed to.
#[derive(Debug, Clone, Copy, Label)]
enum Wanted {
    Draft,
    Published,
    SalesOpen,
    SalesClosed,
    Cancelled,
}

/// What shows are looked for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Search {
    status: Option<Wanted>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    owner_id: Option<UserId>,
    q: Option<String>,
}

impl Search {
    /// Shows that begin within these times, with these words in their title or venue.
    pub fn between(from: Option<Timestamp>, to: Option<Timestamp>, q: Option<String>) -> Self {
        Self { from, to, q, ..Self::default() }
    }
}

async fn list(
    State(app): State<Application>,
    principal: Option<Principal>,
    QueryParams(search): QueryParams<Search>,
    pagination: Pagination,
    min_position: MinPosition,
) -> Result<PageBody<EventBody>, Problem> {
    let shows = min_position.of(app.view::<ShowList>());
    let query = shows_like(&shows, principal.as_ref(), search).order_by_descending("created_at");
    let page = query.page(pagination.page, pagination.page_size).fetch().await?;
    Ok(PageBody::new(pagination, page, |row| EventBody::new(row.id, row.version, &row.show)))
}

/// The shows that are looked for, among those that this person may see.
pub fn shows_like(
    shows: &View<ShowList>,
    principal: Option<&Principal>,
    search: Search,
) -> ViewQuery<ShowList> {
    let mut query = shows.query();
    if !principal.is_some_and(|principal| principal.has_role("admin")) {
        let me = principal.map(|principal| principal.user_id.to_string());
        query = query.any_of("seen_by", [ListedShow::EVERYBODY.to_owned()].into_iter().chain(me));
    }
    if let Some(status) = search.status {
        query = query.filter_eq("status", status);
    }
    if let Some(owner) = search.owner_id {
        query = query.filter_eq("owner", owner);
    }
    if let Some(from) = search.from {
        query = query.at_least("starts_at", from);
    }
    if let Some(to) = search.to {
        query = query.less_than("starts_at", later(to, Duration::from_micros(1)));
    }
    if let Some(words) = search.q {
        query = query.contains("words", &folded(&words));
    }
    query
}

async fn one(
    State(app): State<Application>,
    principal: Option<Principal>,
    PathId(id): PathId<ShowId>,
) -> Result<Written<EventBody>, Problem> {
    let show = event_to_see(&app, id, principal.as_ref()).await?;
    Ok(Written::ok(&show, EventBody::new(id, show.version, &show.state)))
}

async fn publish(
    State(app): State<Application>,
    principal: Principal,
    command: CommandRequest,
    PathId(id): PathId<ShowId>,
    if_match: Option<IfMatch>,
) -> Result<Written<EventBody>, Problem> {
    let show = event_to_manage(&app, id, &principal).await?;
    let sections = show.state.listing.into_iter().flat_map(|listing| listing.sections);
    let inventories = sections
        .map(|section| {
            on(
                section.id,
                InventoryCommand::Initialise {
                    show: id,
                    capacity: section.capacity,
                    rows: section.row_lengths(),
                },
            )
        })
        .collect();
    let publish = on(id, ShowCommand::Publish).expecting(if_match);
    with_inventories(&app, id, (publish, inventories), command.context()).await
}

async fn open_sales(
    State(app): State<Application>,
    principal: Principal,
    command: CommandRequest,
    PathId(id): PathId<ShowId>,
    if_match: Option<IfMatch>,
) -> Result<Written<EventBody>, Problem> {
    let show = event_to_manage(&app, id, &principal).await?;
    let inventories = to_each_section(&show.state, &InventoryCommand::OpenSales);
    let open = on(id, ShowCommand::OpenSales).expecting(if_match);
    with_inventories(&app, id, (open, inventories), command.context()).await
}

async fn close_sales(
    State(app): State<Application>,
    principal: Principal,
    command: CommandRequest,
    PathId(id): PathId<ShowId>,
    if_match: Option<IfMatch>,
) -> Result<Written<EventBody>, Problem> {
    let show = event_to_manage(&app, id, &principal).await?;
    let inventories = to_each_section(&show.state, &InventoryCommand::CloseSales);
    let close = on(id, ShowCommand::CloseSales).expecting(if_match);
    with_inventories(&app, id, (close, inventories), command.context()).await
}

// The decider checks what comes of it.
impl Validate for ShowChange {}

/// Changes what is offered, and the places of its sections in the same append.
async fn update(
    State(app): State<Application>,
    (principal, if_match): (Principal, IfMatch),
    command: CommandRequest,
    PathId(id): PathId<ShowId>,
    JsonBody(change): JsonBody<ShowChange>,
) -> Result<Written<EventBody>, Problem> {
    let show = event_to_manage(&app, id, &principal).await?.state;
    let from = show.listing.clone().ok_or_else(unknown)?;
    let mut ids = 0..;
    let mut next_id = || command.new_id(ids.next().unwrap_or(u32::MAX));
    let to = change.of(&from, &mut next_id).map_err(|refused| Problem::rejection(&refused))?;
    let inventories = if show.is_public { changed_places(id, &show, &to) } else { Vec::new() };
    let update = on(id, ShowCommand::Update(Box::new(Changed { from, to }))).expecting(if_match);
    with_inventories(&app, id, (update, inventories), command.context()).await
}

/// What the inventories of a show that others have seen are told: of new sections and of more places.
fn changed_places(id: ShowId, show: &Show, to: &Listing) -> Vec<CommandOn<InventoryCommand>> {
    let before: Vec<_> = show.listing.iter().flat_map(|listing| &listing.sections).collect();
    let told = |section: &Section| {
        if let Some(known) = before.iter().find(|known| known.id == section.id) {
            let add = section.capacity.saturating_sub(known.capacity);
            let (unblock, block) = (Places::default(), Places::default());
            return (add > 0).then_some(InventoryCommand::Adjust { add, unblock, block });
        }
        let (of_show, capacity, rows) = (id, section.capacity, section.row_lengths());
        Some(if show.status == ShowStatus::SalesOpen {
            InventoryCommand::InitialiseOnSale { show: of_show, capacity, rows }
        } else {
            InventoryCommand::Initialise { show: of_show, capacity, rows }
        })
    };
    to.sections.iter().filter_map(|section| Some(on(section.id, told(section)?))).collect()
}

/// Why a show is cancelled.
#[derive(Debug, Default, Deserialize, JsonSchema)]
struct WhyCancelled {
    #[schemars(length(max = 500))]
    reason: Option<String>,
}

impl Validate for WhyCancelled {
    fn validate(&self, findings: &mut Findings) {
        findings.length("reason", self.reason.as_deref().unwrap_or_default(), 0..=500);
    }
}

/// Nothing of it is held or sold from here on; its orders end one after the other, whatever happens.
async fn cancel(
    State(app): State<Application>,
    (principal, if_match): (Principal, Option<IfMatch>),
    command: CommandRequest,
    PathId(id): PathId<ShowId>,
    body: Option<JsonBody<WhyCancelled>>,
) -> Result<Written<()>, Problem> {
    let show = event_to_manage(&app, id, &principal).await?;
    let WhyCancelled { reason } = body.map(|JsonBody(why)| why).unwrap_or_default();
    let inventories = to_each_section(&show.state, &InventoryCommand::Cancel);
    let commands = (on(id, ShowCommand::Cancel { reason }).expecting(if_match), inventories);
    let receipt = app.execute_all(commands).request(command.context()).await?;
    Ok(Written::no_content(&(receipt.parts.0.version, receipt.position)))
}

fn to_each_section(show: &Show, command: &InventoryCommand) -> Vec<CommandOn<InventoryCommand>> {
    let sections = show.listing.iter().flat_map(|listing| &listing.sections);
    sections.map(|section| on(section.id, command.clone())).collect()
}

/// Changes the show and every section's inventory in one append: the answer is given once every section knows.
async fn with_inventories(
    app: &Application,
    id: ShowId,
    commands: (CommandOn<ShowCommand>, Vec<CommandOn<InventoryCommand>>),
    request: RequestContext,
) -> Result<Written<EventBody>, Problem> {
    let receipt = app.execute_all(commands).request(request).await?;
    let show = app.load::<Show>(&id).await?.ok_or_else(unknown)?;
    let body = EventBody::new(id, show.version, &show.state);
    Ok(Written::ok(&(show.version, receipt.position), body))
}

/// The show, if this person may see it.
///
/// # Errors
/// 404 for an unknown show and for another's draft.
pub async fn event_to_see(
    app: &Application,
    id: ShowId,
    principal: Option<&Principal>,
) -> Result<Loaded<Show>, Problem> {
    let show = app.load::<Show>(&id).await?.ok_or_else(unknown)?;
    let sees = show.state.is_public || principal.is_some_and(|who| may_manage(&show.state, who));
    if sees { Ok(show) } else { Err(unknown()) }
}

/// The show, if this person may change it.
///
/// # Errors
/// 404 for an unknown show, 403 for another's.
pub async fn event_to_manage(
    app: &Application,
    id: ShowId,
    principal: &Principal,
) -> Result<Loaded<Show>, Problem> {
    let show = app.load::<Show>(&id).await?.ok_or_else(unknown)?;
    if may_manage(&show.state, principal) {
        Ok(show)
    } else {
        Err(Problem::forbidden("this event is another's"))
    }
}

fn may_manage(show: &Show, principal: &Principal) -> bool {
    let is_owner = show.listing.as_ref().is_some_and(|listing| listing.owner_id == principal.user_id);
    is_owner || principal.has_role("admin")
}

fn unknown() -> Problem {
    Problem::not_found("there is no such event")
}
