//! Wake-ups between instances: one coalesced `NOTIFY` after commits, off their path, and a connection that listens.
//!
//! A wake-up that is lost does no harm: the log is looked at from time to time (`horizon.rs`). Waiting here is on the
//! machine's time, which spares the server.

use crate::connections::Database;
use composable_rust_core::Position;
use sqlx::postgres::PgListener;
use std::io::ErrorKind;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long after a lost connection the next one is tried.
const RECONNECT: Duration = Duration::from_secs(1);

/// Tells other instances what is appended here, and hears what they tell, until the database is closed.
pub(crate) fn start(database: &Arc<Database>, channel: String) {
    let spawner = &database.environment.spawner;
    spawner.spawn("postgres notify", Box::pin(notify(Arc::downgrade(database), channel.clone())));
    spawner.spawn("postgres listen", Box::pin(listen(Arc::downgrade(database), channel)));
}

fn alive(weak: &Weak<Database>) -> Option<Arc<Database>> {
    weak.upgrade().filter(|database| !database.is_closed())
}

async fn notify(weak: Weak<Database>, channel: String) {
    let mut told = Position::ZERO;
    loop {
        let Some(database) = alive(&weak) else { return };
        let (appended, options) = (database.appended.clone(), &database.options);
        let (interval, poll) = (options.notify_interval, options.poll_interval);
        let position = appended.position();
        if position > told {
            // Nobody waits for this commit to be synced.
            let statement =
                sqlx::query("SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)")
                    .bind(channel.as_str())
                    .bind(position.get().to_string());
            match database.try_all(statement).await {
                Ok(_) => told = position,
                Err(error) => tracing::debug!(%error, "other instances are told later"),
            }
        }
        drop(database);
        tokio::time::sleep(interval).await;
        tokio::select! {
            biased;
            () = appended.reached(told.next()) => {}
            () = tokio::time::sleep(poll) => {}
        }
    }
}

async fn listen(weak: Weak<Database>, channel: String) {
    while let Some(database) = alive(&weak) {
        let pool = database.listener().clone();
        drop(database);
        if let Err(error) = hear(&weak, &pool, &channel).await
            && !pool.is_closed()
        {
            tracing::warn!(%error, "wake-ups of other instances are lost; the log is polled until they come again");
        }
        tokio::select! {
            biased;
            () = pool.close_event() => return,
            () = tokio::time::sleep(RECONNECT) => {}
        }
    }
}

/// Hears until the connection is lost.
async fn hear(weak: &Weak<Database>, pool: &sqlx::PgPool, channel: &str) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(channel).await?;
    if let Some(database) = alive(weak) {
        // What was told before is not heard.
        database.horizon.doubt();
    }
    loop {
        let Some(heard) = listener.try_recv().await? else {
            return Err(std::io::Error::from(ErrorKind::UnexpectedEof).into());
        };
        let Some(database) = alive(weak) else { return Ok(()) };
        if let Ok(position) = heard.payload().parse::<i64>() {
            database.horizon.want(Position::from_i64(position));
        }
    }
}
