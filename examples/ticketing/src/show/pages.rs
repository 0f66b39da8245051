//! `/`: what is on, as a plain page. It works without scripts, and everything that people wrote is escaped.

use super::views::{ListedShow, ShowList};
use super::{Listing, ShowStatus};
use crate::inventory::views::{Availability, SectionPlaces};
use crate::shared::ShowId;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use composable_rust::prelude::*;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};

/// Most sections that one page adds up: 100 shows with 50 each would be more than anybody offers.
const MOST_SECTIONS: u32 = 1_000;

/// The pages of this slice.
pub fn pages() -> Router<Application> {
    Router::new().route("/", get(shows)).route("/style.css", get(style))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css"))
}

async fn shows(
    State(app): State<Application>,
    pagination: Pagination,
    min_position: MinPosition,
) -> Result<Html<String>, Problem> {
    let query = min_position
        .of(app.view::<ShowList>())
        .query()
        .filter_eq("seen_by", ListedShow::EVERYBODY.to_owned());
    let page =
        query.order_by_descending("created_at").page(pagination.page, pagination.page_size).fetch().await?;
    let ids = page.items.iter().map(|row| row.id);
    let sections = min_position
        .of(app.view::<Availability>())
        .query()
        .any_of("show", ids)
        .page(1, MOST_SECTIONS)
        .fetch()
        .await?;
    let free = free_places(&sections.items);
    let more = page.total > u64::from(pagination.page) * u64::from(pagination.page_size);
    let mut html = String::new();
    // Writing to a String cannot fail.
    let _ = write_page(&mut html, &page.items, &free, more.then_some(pagination.page.saturating_add(1)));
    Ok(Html(html))
}

fn free_places(sections: &[SectionPlaces]) -> BTreeMap<ShowId, u32> {
    let mut free = BTreeMap::new();
    for section in sections {
        let places: &mut u32 = free.entry(section.show).or_default();
        *places = places.saturating_add(section.counts.free);
    }
    free
}

fn write_page(
    html: &mut String,
    shows: &[ListedShow],
    free: &BTreeMap<ShowId, u32>,
    next: Option<u32>,
) -> fmt::Result {
    html.push_str(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>What is on</title>\n\
         <link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n<main>\n<h1>What is on</h1>\n",
    );
    if shows.is_empty() {
        html.push_str("<p>Nothing is on. Start with <code>--demo</code> to see some events.</p>\n");
    }
    html.push_str("<ul>\n");
    for row in shows {
        if let Some(listing) = &row.show.listing {
            write_show(html, row, listing, free.get(&row.id).copied().unwrap_or_default())?;
        }
    }
    html.push_str("</ul>\n");
    if let Some(next) = next {
        writeln!(html, "<p><a href=\"/?page={next}\">Older events</a></p>")?;
    }
    html.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

fn write_show(html: &mut String, row: &ListedShow, listing: &Listing, free: u32) -> fmt::Result {
    let (title, venue) = (Escaped(&listing.title), Escaped(&listing.venue.name));
    let starts_at = listing.starts_at.strftime("%A, %-d %B %Y, %H:%M");
    writeln!(
        html,
        "<li>\n<h2>{title}</h2>\n<p>{venue} · <time datetime=\"{}\">{starts_at} UTC</time></p>",
        listing.starts_at
    )?;
    let prices = listing.sections.iter().flat_map(|section| &section.tiers).map(|tier| tier.price);
    let price = match prices.min_by_key(|price| price.amount) {
        Some(price) if price.is_zero() => "free".to_owned(),
        Some(price) => format!("from {price}"),
        None => String::new(),
    };
    let state = match row.status {
        ShowStatus::SalesOpen if free == 0 => "Sold out".to_owned(),
        ShowStatus::SalesOpen => format!("{free} places, {price}"),
        ShowStatus::Published => format!("On sale soon, {price}"),
        ShowStatus::SalesClosed => "Sales have ended".to_owned(),
        ShowStatus::Unlisted | ShowStatus::Draft => String::new(),
    };
    writeln!(html, "<p>{}</p>\n</li>", Escaped(&state))
}

/// Text that cannot become markup.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            other => f.write_char(other),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Escaped;

    #[test]
    fn what_people_wrote_cannot_become_markup() {
        let text = Escaped(r#"<script>alert("x")</script> & 'y'"#).to_string();
        assert_eq!(text, "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;y&#39;");
    }
}
