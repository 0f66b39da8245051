//! Values that every slice speaks of: ids, money, order lines, rule violations, secrets, addresses. No slice is named here.

mod email;
mod ids;
mod line;
mod money;
mod public_url;
mod secret;
mod violation;

pub use email::is_email;
pub use ids::{PaymentId, QuotaId, RefundId, ReservationId, SeatId, SectionId, ShowId, TicketId, TierId};
pub use line::{Line, Places, Seat, Ticket, TierSales, holds_of, places_of, sales_of, total_of, worth_of};
pub use money::{Currency, Money};
pub use public_url::PublicUrl;
pub use secret::Secret;
pub use violation::{Violation, Violations, line, text};
