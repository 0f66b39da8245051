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

#[cfg(unix)]
#[tokio::test]
async fn a_database_has_one_secret_and_one_gateway_under_every_name() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let token = server.sign_in("ann@example.org").await.token();
    let linked = folder.path().join("linked");
    std::fs::create_dir(&linked).unwrap();
    std::os::unix::fs::symlink(folder.path().join("data/ticketing.db"), linked.join("alias.db")).unwrap();
    let alias = [("DATABASE_URL", "sqlite://linked/alias.db")];
    let (_, _, errors) = run(ticketing(folder.path()).envs(alias));
    assert!(errors.contains("ticketing.db is in use by process"), "{errors}");
    assert_eq!(server.stop().code(), Some(0));

    let server = Server::start(folder.path(), &alias);
    let again = server.request(reqwest::Method::GET, "/api/reservations").bearer_auth(token);
    assert_eq!(again.send().await.unwrap().status(), 200, "it is signed with the same secret");
    drop(server);
    assert_eq!(std::fs::read_dir(linked).unwrap().count(), 1, "nothing stands beside the link");
}

#[tokio::test]
async fn of_several_first_starts_at_once_one_starts_and_the_others_are_told() {
    for _ in 0..5 {
        let folder = folder();
        let started = Server::start_at_once(folder.path(), 4);
        let [server] = &started[..] else { panic!("{} run", started.len()) };
        assert_eq!(server.log().matches("ticketing.db is in use by").count(), 3, "{}", server.log());
        let token = server.sign_in("ann@example.org").await.token();
        drop(started);
        let server = Server::start(folder.path(), &[]);
        let again = server.request(reqwest::Method::GET, "/api/reservations").bearer_auth(token);
        assert_eq!(again.send().await.unwrap().status(), 200, "{}", server.log());
    }
}

#[test]
fn damaged_books_of_the_gateway_are_refused_with_the_line() {
    let folder = folder();
    let books = folder.path().join("data/ticketing.db.gateway.jsonl");
    std::fs::create_dir(folder.path().join("data")).unwrap();
    for text in ["\n{}\n", "\nnonsense", "\n\0\0\0"] {
        std::fs::write(&books, text).unwrap();
        let (status, _, errors) = run(&mut ticketing(folder.path()));
        assert!(
            !status.success() && errors.contains("gateway.jsonl is damaged, line 2"),
            "{text:?}: {errors}"
        );
        assert!(errors.contains("restore the file"), "{errors}");
        assert_eq!(std::fs::read_to_string(&books).unwrap(), text, "it is left as it was");
    }
}

#[tokio::test]
async fn links_lead_to_the_public_url() {
    let folder = folder();
    let server = Server::start(folder.path(), &[("PUBLIC_URL", "https://shop.example")]);
    let buyer = server.sign_in("ann@example.org").await;
    let show = buyer.sell(3).await;
    let reservation = buyer.reserve(&show, 1).await.expect(201);
    let asked = buyer.pay(&reservation, "requires_action").await.expect(201);
    let (id, link) = (asked.text("/id"), asked.text("/action_url"));
    assert_eq!(link, format!("https://shop.example/payments/{id}/action"));
    assert_eq!(buyer.get(&format!("/api/payments/{id}")).await.text("/action_url"), link);
    assert_eq!(asked.header("location"), format!("/api/payments/{id}"), "where it was asked");
}

#[tokio::test]
async fn links_lead_to_where_it_listens_when_nobody_says_otherwise() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let buyer = server.sign_in("ann@example.org").await;
    let show = buyer.sell(3).await;
    let reservation = buyer.reserve(&show, 1).await.expect(201);
    let asked = buyer.pay(&reservation, "requires_action").await.expect(201);
    let link = asked.text("/action_url");
    assert_eq!(link, format!("{}/payments/{}/action", server.url, asked.text("/id")));
    let approved =
        server.http.post(&link).bearer_auth(buyer.token()).json(&serde_json::json!({ "approve": true }));
    assert_eq!(approved.send().await.unwrap().status(), 200, "a browser may follow it as it is");
}

#[tokio::test]
async fn the_log_tells_of_requests_and_of_the_end_without_colours_in_a_file() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let answer = server.get("/api/events?q=secret").await.expect(200);
    server.get("/livez").await.expect(200);
    let log = folder.path().join("log");
    assert_eq!(server.stop().code(), Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    let line = log.lines().find(|line| line.contains("GET /api/events 200 in ")).expect(&log);
    assert!(line.contains(" ms") && line.contains(&answer.header("x-request-id")), "{line}");
    assert!(!log.contains('\u{1b}') && !log.contains("q=secret") && !log.contains("/livez"), "{log}");
    assert!(
        log.contains("draining: waiting for the requests under way requests=0") && log.contains(" stopped"),
        "{log}"
    );
}

/// The first lets what is under way end.
#[tokio::test]
async fn a_second_signal_ends_it_at_once_and_says_so() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    // Nobody writes so much: it is waited for until something gives up.
    let waiting = server.request(reqwest::Method::GET, "/api/events").header("x-min-position", "999999");
    let mut waiting = std::pin::pin!(waiting.send());
    let log = || std::fs::read_to_string(folder.path().join("log")).unwrap();
    let mut signals = 0;
    while !log().contains("waiting for the requests under way requests=1") {
        let turn = Duration::from_millis(300);
        let _ = tokio::time::timeout(turn, &mut waiting).await;
        if signals == 0 {
            server.signal("-INT");
            signals += 1;
        }
    }
    server.signal("-INT");
    assert_eq!(server.ended().code(), Some(1));
    assert!(log().contains("ended at once by a second signal"), "{}", log());
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

/// An address is a host and a port, whichever way they are said; nothing, as in `PORT=`, is not said.
#[test]
fn whoever_is_stronger_wins_for_each_half_of_the_address_and_says_nothing_with_nothing() {
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str], &'a str);
    let cases: [Case<'_>; 7] = [
        ("", &[("HTTP_ADDR", "127.0.0.2:9000")], &["--port", "8081"], "http_addr = \"127.0.0.2:8081\""),
        ("http_addr = \"127.0.0.2:9000\"", &[("PORT", "8082")], &[], "http_addr = \"127.0.0.2:8082\""),
        ("port = 1", &[("PORT", "2")], &["--http-addr", "localhost:3"], "http_addr = \"127.0.0.1:3\""),
        ("", &[("PORT", "2"), ("HTTP_ADDR", "[::1]:4")], &[], "http_addr = \"[::1]:4\""),
        ("hold_seconds = 7", &[("HOLD_SECONDS", " ")], &[], "hold_seconds = 7"),
        ("hold_seconds = 7", &[("HOLD_SECONDS", "8")], &["--hold-seconds="], "hold_seconds = 8"),
        (
            "public_url = \"https://b.example\"",
            &[("PUBLIC_URL", "https://a.example/")],
            &[],
            "\"https://a.example\"",
        ),
    ];
    let folder = folder();
    for (file, variables, flags, expected) in cases {
        std::fs::write(folder.path().join("c.toml"), file).unwrap();
        let mut command = ticketing(folder.path());
        command.env_remove("PORT").args(["--print-config", "--config", "c.toml"]).args(flags);
        let (_, config, errors) = run(command.envs(variables.iter().copied()));
        assert!(config.contains(expected), "{file} {variables:?} {flags:?}: {config}{errors}");
    }
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
        "DATABASE_URL names PostgreSQL, which this build does not have yet",
        "KAFKA_BROKERS names Kafka, which this build does not have yet",
        "REDIS_URL names Redis, which this build does not have yet",
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
        .args(["--nonsense", "--more=5", "--demo=yes", "--app-env", "--rust-log=a", "--rust-log=b"])
        .args(["--hold-seconds", "0.5", "--config"])
        .arg(&file)
        .env("RATE_LIMIT_PER_IP", "many");
    command
        .env("HOST", "nowhere")
        .env("CORS_ORIGINS", "shop.example")
        .env("PUBLIC_URL", "https://shop.example/tickets")
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
        "unexpected value 'yes' for '--demo' found; no more were expected: --help",
        "a value is required for '--app-env <APP_ENV>' but none was supplied: --help",
        "--rust-log is said twice",
        "PUBLIC_URL is \"https://shop.example/tickets\": write scheme",
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
    let mut command = ticketing(folder.path());
    command.env("ADMIN_EMAIL", value).env("HOLD_SECONDS", "abc").arg("--database-url").arg(value);
    let (status, _, errors) = run(&mut command);
    assert!(!status.success());
    for told in
        ["ADMIN_EMAIL: write it in UTF-8", "--database-url: write it in UTF-8", "HOLD_SECONDS is \"abc\""]
    {
        assert!(errors.contains(told), "{told:?} is not in {errors}");
    }
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
