//! Starts the ticketing application and stops it again. What it is made of: `app.rs`.

use composable_rust::Application;
use composable_rust::runtime::BoxError;
use composable_rust::web::Listening;
use std::io::Write as _;
use std::process::ExitCode;
use ticketing::config::Config;
use ticketing::shared::PublicUrl;
use ticketing::{demo, logging, ticketing};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ticketing: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), BoxError> {
    let Some(config) = Config::from_command_line()? else { return Ok(()) };
    logging::start(&config)?;
    let ready = async |app: &Application| {
        // Where it really listens: the port may have been chosen by the system.
        let listening = || app.get::<Listening>().map(|listening| listening.to_string());
        if let Some(url) = config.public_url.clone().or_else(listening) {
            app.put(PublicUrl(url));
        }
        if config.demo {
            demo::load(app).await?;
        }
        if let Some(listening) = app.get::<Listening>() {
            announce(&listening);
        }
        Ok(())
    };
    Ok(ticketing(&config)?.run(ready).await?)
}

/// Whoever started it wants to know the URL; it serves even where nobody reads.
fn announce(listening: &Listening) {
    writeln!(std::io::stdout(), "listening on {listening}").ok();
}
