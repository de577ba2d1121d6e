use futures::{StreamExt, stream, stream::BoxStream};
use gateway_store::{AccountId, StoreError, StoreResult};
use tokio::{
    sync::{
        Mutex,
        broadcast::{self, error::RecvError},
    },
    task::JoinSet,
};

/// Wakes kept for a slow receiver; the oldest beyond are lost to it.
pub const BACKLOG: usize = 1_024;

/// Where a store's task that hears wakes passes them on.
pub type Heard = broadcast::Sender<AccountId>;

/// Hands the wakes that one task hears to any number of streams. The task begins with the first stream;
/// it and the streams end with the store.
#[derive(Debug, Default)]
pub struct Wakes(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    Hearing(
        Heard,
        #[expect(dead_code, reason = "ends its task when dropped")] JoinSet<()>,
    ),
    Ended,
}

impl Wakes {
    /// A stream of the wakes from now on. `begin` prepares the task, if there is none yet, so that it
    /// hears from then on.
    pub async fn stream<B, T>(
        &self,
        begin: impl Future<Output = StoreResult<B>>,
    ) -> StoreResult<BoxStream<'static, AccountId>>
    where
        B: FnOnce(Heard) -> T,
        T: Future<Output = ()> + Send + 'static,
    {
        let mut state = self.0.lock().await;
        let receiver = match &*state {
            State::Hearing(heard, _) => heard.subscribe(),
            State::Ended => return Err(StoreError::Database(sqlx::Error::PoolClosed.into())),
            State::Idle => {
                let task = begin.await?;
                let (heard, receiver) = broadcast::channel(BACKLOG);
                let mut tasks = JoinSet::new();
                tasks.spawn(task(heard.clone()));
                *state = State::Hearing(heard, tasks);
                receiver
            }
        };
        let next = async |mut receiver: broadcast::Receiver<AccountId>| {
            loop {
                match receiver.recv().await {
                    Ok(account) => return Some((account, receiver)),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        };
        Ok(stream::unfold(receiver, next).boxed())
    }

    /// Ends the task and the streams.
    pub async fn end(&self) {
        *self.0.lock().await = State::Ended;
    }
}
