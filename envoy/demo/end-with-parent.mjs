// Loaded into the control plane's process by --import: when the channel to the parent closes, however the parent ended, it stops too.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
