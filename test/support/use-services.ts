import { endProcessesOf } from './processes.ts';
import { type Ending, type Service, type ServiceOptions, serviceProcesses, startService } from './service.ts';

export type Ended = Ending & { stdout: string; stderr: string };

/**
 * Starts services for the tests of a `describe`, and ends them after it together with whatever they have started, also
 * when a test failed.
 */
export function useServices() {
  const folders: string[] = [];
  after(async () => {
    const running = [...serviceProcesses].map(({ folder }) => folder);
    await Promise.all([...new Set([...folders, ...running])].map(endProcessesOf));
  });

  async function start(options: ServiceOptions = {}): Promise<Service> {
    const service = await startService(options);
    folders.push(service.folder);
    return service;
  }

  return {
    start,
    /** Runs a command that ends by itself. */
    async run(options: ServiceOptions): Promise<Ended & { service: Service }> {
      const service = await start({ ...options, waitUntilReady: false });
      const ending = await service.ended;
      return { ...ending, stdout: service.stdout(), stderr: service.stderr(), service };
    },
  };
}
