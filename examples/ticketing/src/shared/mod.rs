//! Values that every slice speaks of: ids, money, order lines, rule violations, secrets. No slice is named here.

mod ids;
mod line;
mod money;
mod secret;
mod violation;

pub use ids::{PaymentId, QuotaId, ReservationId, SectionId, ShowId, TicketId, TierId};
pub use line::{Line, Ticket, holds_of, total_of};
pub use money::{Currency, Money};
pub use secret::Secret;
pub use violation::{Violation, Violations};
