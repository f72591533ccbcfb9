/** Hash joins and sorts are of keys that are held, a few hundred at most; jobs are found through indexes. */
const PLANS = `SET enable_seqscan = off SET enable_bitmapscan = off SET enable_mergejoin = off`

/** How much more a job of this key may start: NULL for no limit. */
const capacity = (schema: string) =>
  `least(key_concurrency - coalesce(held.jobs, 0), ${schema}.jobs_starts_v1(rate.next_start, key_rate_count, key_rate_per, moment))`

/** Jobs of each key that run. jobs_live_running: as many rows as jobs run. */
const held = (schema: string) => `
          SELECT key, count(*)::integer AS jobs
          FROM (SELECT key FROM ${schema}.jobs_live WHERE state = 'running' AND queue = of_queue AND key_concurrency IS NOT NULL OFFSET 0) AS running
          WHERE key IS NOT NULL GROUP BY key`

/**
 * Claims from queues that are held to something.
 *
 * The caller holds the lock of the queue's row, so that claims of one queue come one after the other and what they count is true; ends need no lock,
 * because they only make room. Nothing is counted in a column that a crash could leave wrong: what runs is what jobs_live says.
 *
 * Rates are counted by GCRA (ITU-T I.371): one moment for a queue or a key, the theoretical arrival time of the next start.
 *
 * @param schema quoted
 */
export function limiting(schema: string): string {
  return `${starts(schema)}
${next(schema)}
${take(schema)}
${front(schema)}
${walk(schema)}
${claim(schema)}`
}

function starts(schema: string): string {
  return `
    -- Starts that a rate allows now; NULL without a rate.
    CREATE FUNCTION ${schema}.jobs_starts_v1(next_start timestamptz, rate_count integer, rate_per float8, moment timestamptz) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT floor((rate_per - greatest(extract(epoch FROM next_start - moment)::float8 * 1000, 0)) * rate_count / rate_per + 1e-6)::integer
    $$;
    -- Milliseconds until a rate allows one start.
    CREATE FUNCTION ${schema}.jobs_start_in_v1(next_start timestamptz, rate_count integer, rate_per float8, moment timestamptz) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT greatest(extract(epoch FROM next_start - moment)::float8 * 1000, 0) + rate_per / rate_count - rate_per
    $$;`
}

function next(schema: string): string {
  return `
    -- Milliseconds until something may become available by itself; NULL if nothing is in sight.
    CREATE FUNCTION ${schema}.jobs_next_v1(of_queues text[], moment timestamptz) RETURNS float8 LANGUAGE plpgsql ${PLANS} AS $$
    DECLARE
      soon float8;
      later float8;
    BEGIN
      -- jobs_queues_pkey, jobs_live_due
      SELECT min(extract(epoch FROM due.run_at - moment)::float8 * 1000) INTO soon FROM unnest(of_queues) AS w (name)
      CROSS JOIN LATERAL (SELECT run_at FROM ${schema}.jobs_live
        WHERE queue = w.name AND state IN ('scheduled', 'retryable') ORDER BY run_at LIMIT 1) AS due
      WHERE NOT EXISTS (SELECT FROM ${schema}.jobs_queues AS q WHERE q.name = w.name AND q.paused);
      -- jobs_queues_pkey
      IF EXISTS (SELECT FROM unnest(of_queues) AS w (name) JOIN ${schema}.jobs_queues AS q ON q.name = w.name
        WHERE q.rate_count IS NOT NULL OR q.key_rate_count IS NOT NULL) THEN
        later := ${schema}.jobs_next_start_v1(of_queues, moment);
      END IF;
      RETURN ceil(greatest(least(soon, later), CASE WHEN coalesce(soon, later) IS NOT NULL THEN 0 END));
    END $$;
${nextStart(schema)}`
}

function nextStart(schema: string): string {
  return `
    -- Milliseconds until a rate allows something that waits for it.
    CREATE FUNCTION ${schema}.jobs_next_start_v1(of_queues text[], moment timestamptz) RETURNS float8 LANGUAGE plpgsql ${PLANS} AS $$
    BEGIN
      -- jobs_queues_pkey
      RETURN (SELECT min(greatest(waiting.ms, 0)) FROM unnest(of_queues) AS w (name) JOIN ${schema}.jobs_queues AS q ON q.name = w.name
      CROSS JOIN LATERAL (
        -- jobs_live_ready
        SELECT ${schema}.jobs_start_in_v1(q.next_start, q.rate_count, q.rate_per, moment) AS ms
          WHERE ${schema}.jobs_starts_v1(q.next_start, q.rate_count, q.rate_per, moment) <= 0
            AND (SELECT true FROM ${schema}.jobs_live AS job WHERE job.queue = w.name AND job.state = 'available'
              ORDER BY job.priority, job.ready_at, job.seq LIMIT 1)
        UNION ALL
        -- jobs_key_rates_next, jobs_live_key
        (SELECT ${schema}.jobs_start_in_v1(rate.next_start, q.key_rate_count, q.key_rate_per, moment) FROM ${schema}.jobs_key_rates AS rate
          WHERE rate.queue = w.name AND q.key_rate_count IS NOT NULL
            AND rate.next_start > moment + (q.key_rate_per - q.key_rate_per / q.key_rate_count) * interval '1 millisecond'
            AND (SELECT true FROM ${schema}.jobs_live AS job
              WHERE job.key = rate.key AND CASE WHEN job.state = 'available' THEN job.queue = w.name END LIMIT 1)
          ORDER BY rate.next_start LIMIT 1)
      ) AS waiting WHERE NOT q.paused);
    END $$;`
}

function take(schema: string): string {
  return `
    -- Gives jobs to a worker, those that nobody has changed meanwhile.
    CREATE FUNCTION ${schema}.jobs_take_v1(
      me text, ids uuid[], of_queue text, key_rate_count integer, key_rate_per float8, moment timestamptz
    ) RETURNS uuid[] LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      mine uuid[];
    BEGIN
      -- jobs_live_pkey
      WITH taken AS (
        UPDATE ${schema}.jobs_live SET state = 'running', worker = me, attempt = attempt + 1, started_at = moment, progress = NULL
        WHERE id = ANY (ids) AND CASE WHEN state = 'available' THEN true END RETURNING id
      ) SELECT array_agg(id) INTO mine FROM taken;
      IF key_rate_count IS NOT NULL THEN
        -- jobs_live_pkey, jobs_key_rates_pkey
        INSERT INTO ${schema}.jobs_key_rates AS rate (queue, key, next_start)
          SELECT of_queue, key, moment + count(*) * key_rate_per / key_rate_count * interval '1 millisecond'
          FROM ${schema}.jobs_live WHERE id = ANY (mine) AND key IS NOT NULL GROUP BY key
        ON CONFLICT (queue, key) DO UPDATE SET next_start = greatest(rate.next_start, moment) + (excluded.next_start - moment);
      END IF;
      RETURN coalesce(mine, '{}');
    END $$;`
}

/** Enough as long as the keys that may not start anything are not most of what stands in front. */
function front(schema: string): string {
  return `
    -- The first jobs of a queue whose keys may start something, among as many as stand in front.
    CREATE FUNCTION ${schema}.jobs_front_v1(
      of_queue text, allowed integer, width integer, key_concurrency integer, key_rate_count integer, key_rate_per float8, moment timestamptz
    ) RETURNS uuid[] LANGUAGE plpgsql ${PLANS} AS $$
    BEGIN
      IF key_concurrency IS NULL AND key_rate_count IS NULL THEN
        -- jobs_live_ready
        RETURN ARRAY(SELECT id FROM ${schema}.jobs_live WHERE queue = of_queue AND state = 'available'
          ORDER BY priority, ready_at, seq LIMIT allowed FOR UPDATE SKIP LOCKED);
      END IF;
      RETURN ARRAY(
        WITH held AS MATERIALIZED (${held(schema)}
        ), front AS (
          -- jobs_live_ready
          SELECT id, key, row_number() OVER (ORDER BY priority, ready_at, seq) AS place FROM ${schema}.jobs_live
          WHERE queue = of_queue AND state = 'available' ORDER BY priority, ready_at, seq LIMIT width
        ), numbered AS (
          SELECT id, key, place, row_number() OVER (PARTITION BY key ORDER BY place) AS nth FROM front
        )
        SELECT id FROM numbered LEFT JOIN held USING (key)
        -- jobs_key_rates_pkey
        LEFT JOIN ${schema}.jobs_key_rates AS rate ON rate.queue = of_queue AND rate.key = numbered.key AND key_rate_count IS NOT NULL
        WHERE numbered.key IS NULL OR nth <= coalesce(${capacity(schema)}, nth) ORDER BY place LIMIT allowed
      );
    END $$;`
}

/**
 * From key to key: each step is one descent of jobs_live_lanes, however many jobs the key has. It begins behind the key whose turn was last and comes round
 * to it, so that it needs no line of keys that enqueuers would have to write to. It looks at 5,000 keys at most beyond those that it needs.
 */
function walk(schema: string): string {
  const lanes = (condition: string) => `SELECT coalesce(key, '') AS lane FROM ${schema}.jobs_live
            WHERE queue || '' = of_queue AND state = 'available' AND priority = of_priority AND coalesce(key, '') ${condition} ORDER BY coalesce(key, '') LIMIT 1`
  return `
    -- Keys of one priority that may start something, from the one behind \`behind\` on, and how much they may start (NULL: anything).
    CREATE FUNCTION ${schema}.jobs_lanes_v1(
      of_queue text, of_priority smallint, behind text, wanted integer, key_concurrency integer, key_rate_count integer, key_rate_per float8,
      moment timestamptz
    ) RETURNS TABLE (lane text, room integer) LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    BEGIN
      RETURN QUERY WITH RECURSIVE held AS MATERIALIZED (${held(schema)}
      ), later AS (
        (${lanes("> coalesce(behind, '')")})
        UNION ALL
        SELECT (${lanes('> later.lane')}) FROM later WHERE later.lane IS NOT NULL
      ), earlier AS (
        (${lanes(">= ''")})
        UNION ALL
        SELECT (${lanes('> earlier.lane')}) FROM earlier WHERE earlier.lane IS NOT NULL AND earlier.lane < coalesce(behind, '')
      ), walked AS (
        SELECT lane FROM (SELECT lane FROM later UNION ALL SELECT lane FROM earlier WHERE lane <= coalesce(behind, '')) AS lanes
        WHERE lane IS NOT NULL LIMIT wanted + 5000
      )
      SELECT walked.lane, CASE WHEN walked.lane <> '' THEN ${capacity(schema)} END FROM walked
      LEFT JOIN held ON held.key = walked.lane
      -- jobs_key_rates_pkey
      LEFT JOIN ${schema}.jobs_key_rates AS rate ON rate.queue = of_queue AND rate.key = walked.lane AND key_rate_count IS NOT NULL
      WHERE walked.lane = '' OR coalesce(${capacity(schema)}, 1) > 0 LIMIT wanted;
    END $$;
${choose(schema)}`
}

function choose(schema: string): string {
  return `
    -- Claims by turns of keys; without turns, the oldest of the keys that it meets.
    CREATE FUNCTION ${schema}.jobs_walk_v1(
      me text, of_queue text, wanted integer, takes_turns boolean, key_concurrency integer, key_rate_count integer, key_rate_per float8,
      moment timestamptz
    ) RETURNS uuid[] LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      of_priority smallint := -1;
      lanes text[];
      rooms integer[];
      rounds integer;
      chosen uuid[];
      last text;
      mine uuid[] := '{}';
    BEGIN
      WHILE cardinality(mine) < wanted LOOP
        -- jobs_live_ready
        SELECT priority INTO of_priority FROM ${schema}.jobs_live WHERE queue = of_queue AND state = 'available' AND priority > of_priority
          ORDER BY priority LIMIT 1;
        EXIT WHEN NOT FOUND;
        -- jobs_turns_pkey
        SELECT array_agg(lane), array_agg(room) INTO lanes, rooms FROM ${schema}.jobs_lanes_v1(of_queue, of_priority,
          (SELECT key FROM ${schema}.jobs_turns WHERE queue = of_queue AND priority = of_priority),
          wanted - cardinality(mine), key_concurrency, key_rate_count, key_rate_per, moment);
        CONTINUE WHEN lanes IS NULL;
        rounds := CASE WHEN takes_turns THEN ceil((wanted - cardinality(mine))::numeric / cardinality(lanes)) ELSE wanted END;
        LOOP
          -- jobs_live_lanes
          SELECT array_agg(id), (array_agg(lane ORDER BY nth DESC))[1] INTO chosen, last FROM (
            SELECT job.id, l.lane, row_number() OVER () AS nth FROM unnest(lanes, rooms) WITH ORDINALITY AS l (lane, room, place)
            CROSS JOIN LATERAL (
              SELECT id, ready_at, seq, row_number() OVER (ORDER BY ready_at, seq) AS round FROM ${schema}.jobs_live
              WHERE queue || '' = of_queue AND state = 'available' AND priority = of_priority AND coalesce(key, '') = l.lane
              ORDER BY ready_at, seq LIMIT least(l.room, rounds)
            ) AS job
            ORDER BY CASE WHEN takes_turns THEN job.round ELSE 0 END, CASE WHEN takes_turns THEN l.place ELSE 0 END, job.ready_at, job.seq
            LIMIT wanted - cardinality(mine)
          ) AS picked;
          EXIT WHEN cardinality(chosen) = wanted - cardinality(mine) OR rounds >= wanted;
          rounds := least(rounds * 4, wanted);
        END LOOP;
        IF takes_turns AND last IS NOT NULL THEN
          -- jobs_turns_pkey
          INSERT INTO ${schema}.jobs_turns (queue, priority, key) VALUES (of_queue, of_priority, last)
            ON CONFLICT (queue, priority) DO UPDATE SET key = excluded.key;
        END IF;
        mine := mine || ${schema}.jobs_take_v1(me, chosen, of_queue, key_rate_count, key_rate_per, moment);
      END LOOP;
      RETURN mine;
    END $$;`
}

function claim(schema: string): string {
  return `
    CREATE FUNCTION ${schema}.jobs_claim_limited_v1(me text, of_queue text, wanted integer, moment timestamptz) RETURNS SETOF ${schema}.jobs_live
    LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      q ${schema}.jobs_queues;
      width integer;
      mine uuid[] := '{}';
    BEGIN
      -- jobs_queues_pkey
      SELECT * INTO q FROM ${schema}.jobs_queues WHERE name = of_queue;
      IF q.concurrency IS NOT NULL THEN
        -- jobs_live_running
        wanted := least(wanted, q.concurrency - (SELECT count(*) FROM ${schema}.jobs_live WHERE state = 'running' AND queue = of_queue));
      END IF;
      wanted := least(wanted, ${schema}.jobs_starts_v1(q.next_start, q.rate_count, q.rate_per, moment));
      IF wanted <= 0 THEN
        RETURN;
      END IF;
      IF NOT q.fair THEN
        width := CASE WHEN coalesce(q.key_concurrency, q.key_rate_count) IS NULL THEN wanted ELSE wanted * 3 + 200 END;
        mine := ${schema}.jobs_take_v1(me, ${schema}.jobs_front_v1(of_queue, wanted, width, q.key_concurrency, q.key_rate_count, q.key_rate_per, moment),
          of_queue, q.key_rate_count, q.key_rate_per, moment);
      END IF;
      -- jobs_live_ready
      IF q.fair OR (coalesce(q.key_concurrency, q.key_rate_count) IS NOT NULL AND cardinality(mine) < wanted
          AND EXISTS (SELECT FROM ${schema}.jobs_live WHERE queue = of_queue AND state = 'available'
            ORDER BY priority, ready_at, seq OFFSET width - cardinality(mine) LIMIT 1)) THEN
        mine := mine || ${schema}.jobs_walk_v1(me, of_queue, wanted - cardinality(mine), q.fair, q.key_concurrency, q.key_rate_count, q.key_rate_per, moment);
      END IF;
      IF q.rate_count IS NOT NULL AND cardinality(mine) > 0 THEN
        -- jobs_queues_pkey
        UPDATE ${schema}.jobs_queues SET next_start = greatest(next_start, moment) + cardinality(mine) * q.rate_per / q.rate_count * interval '1 millisecond'
        WHERE name = of_queue;
      END IF;
      -- jobs_live_pkey
      RETURN QUERY SELECT * FROM ${schema}.jobs_live WHERE id = ANY (mine);
    END $$;`
}
