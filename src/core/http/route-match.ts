import type { MountedRoute } from './router.ts';

/**
 * Which requests the route of a template takes, by method and path, as the router decides it: a path that stands as it
 * is in another template is that one's.
 */
export function matchOf(template: string, mounted: readonly MountedRoute[]): (method: string, path: string) => boolean {
  if (!template.includes(':')) return (_method, path) => path === template;
  const segments = template.split('/').map((each) => (each.startsWith(':') ? '[^/]+' : RegExp.escape(each)));
  const pattern = new RegExp(`^${segments.join('/')}$`);
  const fixed = new Set(mounted.map((each) => `${each.route.method.toUpperCase()} ${each.template}`));
  return (method, path) => pattern.test(path) && !fixed.has(`${method === 'HEAD' ? 'GET' : method} ${path}`);
}
