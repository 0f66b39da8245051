//! What a program's `main` does: `run`, and what it answers.

use composable_rust::prelude::*;
use composable_rust::testing::memory::MemoryStorage;
use std::error::Error;

fn builder() -> ApplicationBuilder {
    Application::builder("running").storage(MemoryStorage::new())
}

#[tokio::test]
async fn what_ready_fails_with_is_told_after_an_orderly_end_and_question_marks_take_it_anywhere() {
    async fn plain() -> Result<(), Box<dyn Error>> {
        builder().run(async |_| Err("no data".into())).await?;
        Ok(())
    }
    async fn shared() -> Result<(), Box<dyn Error + Send + Sync>> {
        builder().run(async |_| Err("no data".into())).await?;
        Ok(())
    }
    assert_eq!(plain().await.unwrap_err().to_string(), "no data");
    assert_eq!(format!("{:?}", shared().await.unwrap_err()), "no data", "as a main prints it");
    let ended = builder().run(async |_| Err("no data".into())).await;
    assert!(matches!(ended, Err(ApplicationError::Ready(_))));
}

#[tokio::test]
async fn a_declaration_with_faults_is_told_and_nothing_runs() {
    let ended = Application::builder("running").run(async |_| Err("it ran".into())).await;
    assert!(matches!(ended, Err(ApplicationError::Invalid(_))), "{ended:?}");
}
