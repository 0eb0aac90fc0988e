/** The HTTP API: default-deny, errors as problem documents. */
import { Hono } from 'hono';
import { LogError } from '../../backbone/log.ts';
import { StateError } from '../../backbone/state.ts';
import { StoreError } from '../store/port.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { Problem, problemResponse } from './problem.ts';
import { accessRoutes } from './routes/access.ts';
import { alertRoutes } from './routes/alerts.ts';
import { commandRoutes } from './routes/commands.ts';
import { coverageRoutes } from './routes/coverage.ts';
import { fleetRoutes } from './routes/fleet.ts';
import { quarantineRoutes } from './routes/quarantine.ts';
import { registryRoutes } from './routes/registry.ts';
import { reportRoutes } from './routes/reports.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { windowRoutes } from './routes/windows.ts';
import { TerminalIndex } from './terminal-index.ts';

export function createApi(deps: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.onError((error, c) => {
    if (error instanceof Problem) return problemResponse(c, error);
    if ((error instanceof LogError || error instanceof StateError) && error.retry) {
      c.header('retry-after', '5');
      return problemResponse(c, new Problem(503, 'Not now', error.message));
    }
    if (error instanceof StoreError) return problemResponse(c, storeProblem(error));
    deps.say(`${c.req.method} ${c.req.path} could not be answered: ${error.message}`);
    return problemResponse(c, new Problem(500, 'Internal error', 'the request could not be answered: the log of the collector says why'));
  });
  app.notFound((c) => problemResponse(c, new Problem(404, 'Not found', `there is nothing at ${c.req.path}`)));

  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', (c) => {
    const problems = deps.unready();
    return c.json({ status: problems.length === 0 ? 'ready' : 'not ready', problems }, problems.length === 0 ? 200 : 503);
  });
  app.get('/metrics', async (c) => c.text(await deps.metrics(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }));

  app.use('/v1/*', async (c, next) => {
    const token = /^Bearer (\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    const bearer = token === undefined ? undefined : deps.access.bearerOf(token);
    if (!bearer) {
      c.header('www-authenticate', 'Bearer');
      return problemResponse(
        c,
        new Problem(
          401,
          'Unauthorized',
          'send "Authorization: Bearer TOKEN"; the first admin token is in the file admin-token of the data folder',
        ),
      );
    }
    c.set('role', bearer.role);
    c.set('name', bearer.name);
    return next();
  });
  const index = new TerminalIndex(deps.watch);
  app.route('/v1', fleetRoutes(deps, index));
  app.route('/v1', commandRoutes(deps, index));
  app.route('/v1', coverageRoutes(deps));
  app.route('/v1', alertRoutes(deps));
  app.route('/v1', quarantineRoutes(deps));
  app.route('/v1', registryRoutes(deps));
  app.route('/v1', accessRoutes(deps));
  app.route('/v1', webhookRoutes(deps));
  app.route('/v1', reportRoutes(deps));
  app.route('/v1', windowRoutes(deps));
  return app;
}

/** What the store cannot make of a question is the question's fault: a metric that is no number. */
function storeProblem({ code, message }: StoreError): Problem {
  return code === 'rejected' ? new Problem(400, 'Bad request', message) : new Problem(503, 'Not now', message);
}
