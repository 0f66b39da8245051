//! Values that every slice speaks of: ids, money, order lines, rule violations, secrets, e-mail addresses. No slice is named here.

mod email;
mod ids;
mod line;
mod money;
mod secret;
mod violation;

pub use email::is_email;
pub use ids::{PaymentId, QuotaId, RefundId, ReservationId, SeatId, SectionId, ShowId, TicketId, TierId};
pub use line::{Line, Places, Seat, Ticket, holds_of, places_of, total_of, worth_of};
pub use money::{Currency, Money};
pub use secret::Secret;
pub use violation::{Violation, Violations};
