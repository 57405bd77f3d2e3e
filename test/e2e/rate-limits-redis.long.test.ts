import { describeWithRedis } from '../db/redis/redis-server.ts';
import { useServices } from '../support/use-services.ts';
import { breakRedis } from './redis-faults.ts';

/* The short form is in rate-limits-redis.test.ts. */
describeWithRedis('Redis that hangs, is killed and comes back ten times while two instances are asked', () => {
  const { start } = useServices();

  it('is noticed by nobody, said once each time, and limits go on', () => breakRedis(start, 10));
});
