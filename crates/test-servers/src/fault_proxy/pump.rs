//! One direction of a proxied connection.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::{Fault, Setting};

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// Chunks on their way: bounds what a stalled or delayed direction holds.
const IN_FLIGHT: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    ToServer,
    ToClient,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With FIN.
    Order,
    /// With RST.
    Reset,
}

/// Forwards until the reader's end, which is passed on. Fails with how the whole connection shall end.
pub(super) async fn pump(
    reader: &mut OwnedReadHalf,
    writer: &mut OwnedWriteHalf,
    direction: Direction,
    setting: watch::Receiver<Setting>,
    forwarded: &AtomicU64,
) -> Result<(), End> {
    let (sender, receiver) = mpsc::channel(IN_FLIGHT);
    let delays = setting.clone();
    let read = async move {
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = reader.read(&mut buffer).await.map_err(|_| End::Reset)?;
            let due = Instant::now() + delay(delays.borrow().1, direction);
            let chunk = buffer[..count].to_vec();
            // An empty chunk is the reader's end.
            if sender.send((due, chunk)).await.is_err() || count == 0 {
                return Ok(());
            }
        }
    };
    let write = write(writer, direction, setting, forwarded, receiver);
    tokio::try_join!(read, write).map(drop)
}

async fn write(
    writer: &mut OwnedWriteHalf,
    direction: Direction,
    mut setting: watch::Receiver<Setting>,
    forwarded: &AtomicU64,
    mut chunks: mpsc::Receiver<(Instant, Vec<u8>)>,
) -> Result<(), End> {
    // The setting that bytes are counted for, and how many.
    let mut counted = (0, 0);
    while let Some((due, mut chunk)) = chunks.recv().await {
        tokio::time::sleep_until(due).await;
        let (number, fault) = *setting
            .wait_for(|(_, fault)| *fault != Fault::Stall)
            .await
            .map_err(|_| End::Reset)?;
        if chunk.is_empty() {
            break;
        }
        let mut last = false;
        if let (Fault::CutAfter(limit), Direction::ToClient)
        | (Fault::CutUploadAfter(limit), Direction::ToServer) = (fault, direction)
        {
            if counted.0 != number {
                counted = (number, 0);
            }
            let rest = usize::try_from(limit - counted.1).unwrap_or(usize::MAX);
            last = chunk.len() >= rest;
            chunk.truncate(rest);
            counted.1 += chunk.len() as u64;
        }
        writer.write_all(&chunk).await.map_err(|_| End::Reset)?;
        forwarded.fetch_add(chunk.len() as u64, Ordering::SeqCst);
        if last {
            // The error of a connection that is already gone changes nothing.
            let _ = writer.shutdown().await;
            return Err(End::Order);
        }
    }
    writer.shutdown().await.map_err(|_| End::Reset)
}

fn delay(fault: Fault, direction: Direction) -> Duration {
    match (fault, direction) {
        (Fault::Delay { to_server, .. }, Direction::ToServer) => to_server,
        (Fault::Delay { to_client, .. }, Direction::ToClient) => to_client,
        _ => Duration::ZERO,
    }
}
