//! How the program starts, refuses to start, stops, and what it keeps.

use crate::binary::{Server, folder, run, ticketing};
use std::time::{Duration, Instant};

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the time from start to page is the machine's")]
async fn it_starts_without_any_service_and_serves_its_first_page_within_a_second() {
    let folder = folder();
    let started = Instant::now();
    let server = Server::start(folder.path(), &[]);
    let page = server.request(reqwest::Method::GET, "/").send().await.unwrap();
    let (status, kind) = (page.status(), page.headers()["content-type"].clone());
    let took = started.elapsed();
    assert_eq!((status.as_u16(), kind.to_str().unwrap()), (200, "text/html; charset=utf-8"));
    assert!(page.text().await.unwrap().contains("<h1>What is on</h1>"));
    assert!(took < Duration::from_secs(1), "the first page took {took:?}");
    assert!(folder.path().join("data/ticketing.db").exists());
    server.get("/health").await.expect(200);
}

#[tokio::test]
async fn stopping_and_starting_again_keeps_everything() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let show = person.sell(3).await;
    let reservation = person.reserve(&show, 1).await.expect(201);
    let token = person.clone();
    let before = token.get(&format!("/api/reservations/{}", reservation.text("/id"))).await;
    assert_eq!(server.stop().code(), Some(0), "SIGTERM ends it in order");

    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let after = person.get(&format!("/api/reservations/{}", reservation.text("/id"))).await;
    let without_clock = |mut body: serde_json::Value| {
        body["server_time"] = serde_json::Value::Null;
        body
    };
    assert_eq!(without_clock(before.body), without_clock(after.body));
    assert_eq!(show.places(&server, &reservation).await, [2, 1, 0]);
}

#[tokio::test]
async fn a_token_outlives_a_restart() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let request = server.sign_in("ann@example.org").await.request(reqwest::Method::GET, "/api/reservations");
    let token = request.build().unwrap().headers()["authorization"].clone();
    assert_eq!(server.stop().code(), Some(0));
    let server = Server::start(folder.path(), &[]);
    let again = server.request(reqwest::Method::GET, "/api/reservations").header("authorization", token);
    assert_eq!(again.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn demo_data_is_loaded_once() {
    let folder = folder();
    let start = || Server::start_with(ticketing(folder.path()).arg("--demo"));
    let server = start();
    let count = |server: Server| async move {
        let shows = server.get("/api/events?status=sales_open").await.expect(200);
        assert_eq!(server.stop().code(), Some(0));
        shows.body["total"].as_u64().unwrap()
    };
    let first = count(server).await;
    assert!(first > 0);
    assert_eq!(count(start()).await, first);
}

#[tokio::test]
async fn a_second_process_on_the_same_file_is_refused_and_told_of_the_first() {
    let folder = folder();
    let _server = Server::start(folder.path(), &[]);
    let (status, _, errors) = run(&mut ticketing(folder.path()));
    assert!(!status.success());
    assert!(errors.contains("ticketing.db") && errors.contains("process"), "{errors}");
}

#[test]
fn help_and_the_configuration_are_printed_without_starting() {
    let folder = folder();
    let (status, help, _) = run(ticketing(folder.path()).arg("--help"));
    assert!(status.success());
    for variable in ["HTTP_ADDR", "DATABASE_URL", "HOLD_SECONDS", "APP_ENV", "ADMIN_EMAIL"] {
        assert!(help.contains(variable), "{variable} is not in {help}");
    }
    let secret = "this is a secret of more than 32 characters";
    let mut command = ticketing(folder.path());
    command.args(["--print-config", "--hold-seconds", "60"]);
    command.env("SESSION_SECRET", secret).env("HOLD_SECONDS", "30");
    let (status, config, _) = run(&mut command);
    assert!(status.success());
    assert!(config.contains("hold_seconds = 60") && config.contains("payment_seconds = 600"), "{config}");
    assert!(config.contains("session_secret = \"(hidden)\"") && !config.contains(secret), "{config}");
    assert!(!folder.path().join("data").exists());
}

#[test]
fn flags_win_over_the_environment_and_the_environment_over_a_file() {
    let folder = folder();
    let file = folder.path().join("ticketing.toml");
    std::fs::write(&file, "hold_seconds = 10\npayment_seconds = 20\nadmin_email = \"root@example.org\"\n")
        .unwrap();
    let mut command = ticketing(folder.path());
    command.args(["--print-config", "--hold-seconds", "12", "--config"]).arg(&file);
    let (_, config, errors) = run(command.env("HOLD_SECONDS", "11").env("PAYMENT_SECONDS", "21"));
    assert!(config.contains("hold_seconds = 12"), "{config}{errors}");
    assert!(config.contains("payment_seconds = 21") && config.contains("root@example.org"), "{config}");
}

#[test]
fn all_that_is_wrong_with_the_configuration_is_told_at_once() {
    let folder = folder();
    let mut command = ticketing(folder.path());
    command.env("APP_ENV", "production").env("DATABASE_URL", "postgres://somewhere/ticketing");
    command
        .env("KAFKA_BROKERS", "localhost:9092")
        .env("REDIS_URL", "redis://localhost")
        .env("HOLD_SECONDS", "0")
        .env("TRUSTED_PROXIES", "everybody");
    let (status, _, errors) = run(&mut command);
    assert!(!status.success());
    for told in [
        "DATABASE_URL names PostgreSQL, which needs the cargo feature `production`",
        "KAFKA_BROKERS needs the cargo feature `production`",
        "REDIS_URL needs the cargo feature `production`",
        "development sign-in",
        "the simulated one",
        "SESSION_SECRET is missing",
        "HOLD_SECONDS is 0",
        "TRUSTED_PROXIES is \"everybody\"",
    ] {
        assert!(errors.contains(told), "{told:?} is not in {errors}");
    }
}

/// Values that are not even of the right kind, said in all three ways.
#[test]
fn what_cannot_be_read_hides_nothing_else_that_is_wrong() {
    let folder = folder();
    let file = folder.path().join("ticketing.toml");
    let text =
        "hold_second = 3\npayment_seconds = \"soon\"\nlog_format = [1]\ndemo = \"yes\"\nport = 70000\n";
    std::fs::write(&file, text).unwrap();
    let mut command = ticketing(folder.path());
    command
        .env_remove("PORT")
        .args(["--nonsense", "--more=5"])
        .args(["--hold-seconds", "0.5", "--config"])
        .arg(&file)
        .env("RATE_LIMIT_PER_IP", "many");
    command
        .env("HOST", "nowhere")
        .env("CORS_ORIGINS", "shop.example")
        .env("RUST_LOG", "ticketing=loud")
        .env("ADMIN_EMAIL", "root")
        .env("DATABASE_URL", "sqlite://data/ticketing.db?mode=memory")
        .env("RATE_LIMIT_PER_USER", "");
    let (status, _, errors) = run(&mut command);
    assert!(!status.success());
    for told in [
        "unexpected argument '--nonsense' found",
        "unexpected argument '--more' found",
        "hold_second is not a setting",
        "PAYMENT_SECONDS is \"soon\": write 1 to 86400",
        "log_format is of the kind array: write a text",
        "demo is of the kind string: write true or false",
        "PORT is \"70000\": write 0 to 65535",
        "HOLD_SECONDS is \"0.5\"",
        "RATE_LIMIT_PER_IP is \"many\"",
        "HOST is \"nowhere\"",
        "CORS_ORIGINS has \"shop.example\": write scheme",
        "RUST_LOG is \"ticketing=loud\"",
        "ADMIN_EMAIL is \"root\"",
        "DATABASE_URL: \"sqlite://data/ticketing.db?mode=memory\" has parameters",
    ] {
        assert!(errors.contains(told), "{told:?} is not in {errors}");
    }
    assert!(!errors.contains("RATE_LIMIT_PER_USER"), "set to nothing is not set: {errors}");
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_named() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder();
    let value = std::ffi::OsStr::from_bytes(&[0xff]);
    let (status, _, errors) = run(ticketing(folder.path()).env("ADMIN_EMAIL", value));
    assert!(!status.success());
    assert!(errors.contains("ADMIN_EMAIL: write it in UTF-8"), "{errors}");
}

#[test]
fn a_database_that_is_no_file_is_refused_and_leaves_none() {
    let folder = folder();
    for url in ["sqlite::memory:", "sqlite://:memory:", "sqlite:", "data/ticketing.db", "mysql://localhost"] {
        let (status, _, errors) = run(ticketing(folder.path()).env("DATABASE_URL", url));
        assert!(!status.success() && errors.contains("DATABASE_URL: "), "{url}: {errors}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let (_, _, errors) = run(ticketing(folder.path()).env("DATABASE_URL", "sqlite://data"));
    assert!(errors.contains("data is a folder; name a file in it"), "{errors}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn development_cannot_be_reached_from_elsewhere() {
    let folder = folder();
    let (status, _, errors) = run(ticketing(folder.path()).env("HTTP_ADDR", "0.0.0.0:8080"));
    assert!(!status.success() && errors.contains("127.0.0.1"), "{errors}");
}
