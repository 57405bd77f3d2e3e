/** Meant for one developer and a test suite of many processes: small, quick to start and to end, and durable. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  // No socket file anywhere: in /tmp it would be open to everybody, beside the data its path could be too long.
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '32MB',
  // In the data folder, so that nothing outside it is left behind by a kill.
  dynamic_shared_memory_type: 'mmap',
  // No replicas, hence less to write to the log.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  min_wal_size: '32MB',
  max_wal_size: '256MB',
  // Three processes fewer to start and to end.
  io_method: 'sync',
  timezone: 'UTC',
  log_timezone: 'UTC',
  logging_collector: 'off',
  // Only what concerns the server: statements, and the values in them, stay out of its log.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
} as const;

/** The command line of the server; it holds nothing secret. */
export function serverArguments(folder: string, port: number): string[] {
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', folder, '-p', String(port), ...settings];
}
