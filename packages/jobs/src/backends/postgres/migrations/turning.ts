import { FIRST, PLANS } from './ending.ts'

/** Seconds of an interval, or of a moment since the epoch. */
type Epoch = (value: string) => string

/** A job as a worker gets it. */
const given = (
  epoch: Epoch,
  since: string,
) => `id, queue, kind, payload, priority, key, attempt, max_attempts, timeout, request_id, traceparent,
          (${epoch(`greatest(started_at - (${since}), interval '0')`)} * 1000)::float8, has_children, ${epoch('ready_at')}::float8, seq`
const claimed = (epoch: Epoch) =>
  given(epoch, `ready_at + CASE WHEN ready_at < '1500-01-01' THEN ${FIRST} ELSE '0' END`)
const buried = (epoch: Epoch) => given(epoch, 'run_at').replace('ready_at', 'run_at').replace('seq', '0::bigint')

/** What differs from version to version. */
interface TurnVersion {
  name: string
  /** The function that takes the ends. */
  end: string
  /** Before anything else. */
  begin: string
  /** After the ends. */
  renew: string
  epoch: Epoch
}

/**
 * A worker's turn.
 *
 * @param schema quoted
 */
export function turning(schema: string): string {
  return `${promote(schema)}
${rescue(schema)}
${turn(schema, { name: 'jobs_turn_v1', end: 'jobs_end_v1', begin: '', renew: renewal(schema), epoch: (value) => `extract(epoch FROM ${value})` })}`
}

/**
 * A turn that may go beside another one of the same worker.
 *
 * Both would write the worker's row, and so the second wait for the first one's commit: one that was renewed within 100 ms (LEASE_SLACK) is left alone. One that
 * asks what was lost waits for those that are under way, though nobody hears of them any more: what they have claimed is lost, too. `date_part` is of double precision, and
 * a third of the work that the numbers of `extract` are.
 *
 * A turn that tells no ends does not wait for the disk. If the server falls before that is written, its claims never were: the jobs are available, and run once more, as they
 * would if the worker had died. No end and no job that was enqueued depends on it.
 *
 * @param schema quoted
 */
export function turningInTwos(schema: string): string {
  const lock = (kind: string) => `PERFORM pg_advisory_xact_lock${kind}(hashtextextended('tailwater jobs ' || me, 0));`
  const begin = `
      IF believed IS NULL THEN
        ${lock('_shared')}
      ELSE
        ${lock('')}
      END IF;
      IF end_ids IS NULL THEN
        PERFORM set_config('synchronous_commit', 'off', true);
      END IF;
      -- jobs_workers_pkey
      IF (SELECT w.expires_at BETWEEN moment + (lease - 100) * interval '1 millisecond' AND moment + lease * interval '1 millisecond'
        FROM ${schema}.jobs_workers AS w WHERE w.id = me) IS NOT TRUE THEN${renewal(schema).replaceAll('\n', '\n  ')}
      END IF;`
  return turn(schema, {
    name: 'jobs_turn_v2',
    end: 'jobs_end_v2',
    begin,
    renew: '',
    epoch: (value) => `date_part('epoch', ${value})`,
  })
}

function renewal(schema: string): string {
  return `
      -- jobs_workers_pkey
      INSERT INTO ${schema}.jobs_workers AS w (id, expires_at) VALUES (me, moment + lease * interval '1 millisecond')
        ON CONFLICT ON CONSTRAINT jobs_workers_pkey DO UPDATE SET expires_at = excluded.expires_at;`
}

/** A scheduled job becomes available in a step of its own: an index for claims that also held future jobs would have to be read past all of them. */
function promote(schema: string): string {
  return `
    -- Makes due jobs of a queue available, at most 5,000 of them.
    CREATE FUNCTION ${schema}.jobs_promote_v1(of_queue text, moment timestamptz) RETURNS void LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      due tid[];
    BEGIN
      FOR bite IN 1..5 LOOP
        -- jobs_live_due
        due := ARRAY(SELECT ctid FROM ${schema}.jobs_live WHERE queue = of_queue AND state IN ('scheduled', 'retryable') AND run_at <= moment
          ORDER BY run_at LIMIT 1000 FOR UPDATE SKIP LOCKED);
        EXIT WHEN cardinality(due) = 0;
        UPDATE ${schema}.jobs_live SET state = 'available', ready_at = run_at WHERE ctid = ANY (due);
        EXIT WHEN cardinality(due) < 1000;
      END LOOP;
    END $$;`
}

function rescue(schema: string): string {
  return `
    -- Takes jobs of queues (of all if NULL) from workers whose lease has ended. Returns those that were buried.
    CREATE FUNCTION ${schema}.jobs_rescue_v1(of_queues text[], moment timestamptz) RETURNS uuid[] LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      dead text;
      stopped uuid[];
      poison uuid[];
      others uuid[];
      buried uuid[];
    BEGIN
      -- Workers are few.
      FOR dead IN SELECT id FROM ${schema}.jobs_workers WHERE expires_at < moment ORDER BY id FOR UPDATE SKIP LOCKED LOOP
        -- jobs_live_running
        SELECT array_agg(id) FILTER (WHERE cancelling), array_agg(id) FILTER (WHERE NOT cancelling AND (crashes >= 3 OR attempt >= max_attempts)),
          array_agg(id) FILTER (WHERE NOT cancelling AND crashes < 3 AND attempt < max_attempts)
        INTO stopped, poison, others FROM (
          SELECT * FROM ${schema}.jobs_live WHERE state = 'running' AND worker = dead AND (of_queues IS NULL OR queue = ANY (of_queues))
          LIMIT 1000 FOR UPDATE
        ) AS lost;
        IF stopped IS NOT NULL THEN
          PERFORM ${schema}.jobs_finish_v1(stopped, 'cancelled', 1, moment);
        END IF;
        IF poison IS NOT NULL THEN
          PERFORM ${schema}.jobs_finish_v1(poison, 'dead', 1, moment);
          buried := buried || poison;
        END IF;
        IF others IS NOT NULL THEN
          -- jobs_live_pkey
          UPDATE ${schema}.jobs_live SET state = 'available', worker = NULL, crashes = crashes + 1, ready_at = moment - ${FIRST}
          WHERE id = ANY (others);
        END IF;
        -- jobs_live_running, jobs_workers_pkey
        DELETE FROM ${schema}.jobs_workers WHERE id = dead
          AND NOT EXISTS (SELECT FROM ${schema}.jobs_live WHERE state = 'running' AND worker = dead);
      END LOOP;
      RETURN buried;
    END $$;`
}

function turn(schema: string, { name, end, begin, renew, epoch }: TurnVersion): string {
  return `
    -- One turn, with one row for each thing to say; see WorkPort. believed: ids that the worker believes it runs, or NULL.
    CREATE FUNCTION ${schema}.${name}(
      me text, lease float8, end_ids uuid[], end_attempts smallint[], end_outcomes text[], end_notes text[], end_delays float8[],
      want_queues text[], want_counts integer[], believed uuid[]
    ) RETURNS TABLE (what text, id uuid, queue text, kind text, payload text, priority smallint, key text, attempt smallint,
      max_attempts smallint, timeout bigint, request_id text, traceparent text, waited float8, has_children boolean, since float8, seq bigint)
    LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      moment timestamptz := ${schema}.now();
      buried uuid[];
      want record;
    BEGIN${begin}
      IF end_ids IS NOT NULL THEN
        RETURN QUERY SELECT 'refused', ${only('id', 'refused')}
          FROM unnest(${schema}.${end}(me, end_ids, end_attempts, end_outcomes, end_notes, end_delays, moment)) AS refused;
      END IF;${renew}
${upkeep(schema, epoch)}
${answers(schema, epoch)}
${claims(schema, epoch)}
    END $$;`
}

/** What is looked at before anything is claimed. */
function upkeep(schema: string, epoch: Epoch): string {
  return `
      FOR want IN
        -- jobs_live_due
        SELECT w.name FROM unnest(want_queues) AS w (name) WHERE (SELECT true FROM ${schema}.jobs_live AS due
          WHERE due.queue = w.name AND due.state IN ('scheduled', 'retryable') AND due.run_at <= moment LIMIT 1)
      LOOP
        PERFORM ${schema}.jobs_promote_v1(want.name, moment);
      END LOOP;
      IF EXISTS (SELECT FROM ${schema}.jobs_workers WHERE expires_at < moment) THEN
        buried := ${schema}.jobs_rescue_v1(want_queues, moment);
        -- jobs_ended_pkey
        RETURN QUERY SELECT 'buried', ${buried(epoch)} FROM ${schema}.jobs_ended WHERE id = ANY (buried);
      END IF;`
}

/** What the worker has to know of the jobs that it runs, or thinks it does. */
function answers(schema: string, epoch: Epoch): string {
  return `
      IF believed IS NOT NULL THEN
        -- jobs_live_running
        RETURN QUERY SELECT 'claimed', ${claimed(epoch)} FROM ${schema}.jobs_live
          WHERE state = 'running' AND worker = me AND id <> ALL (believed);
      END IF;
      -- jobs_live_cancelling
      RETURN QUERY SELECT 'cancelled', ${only('id', 'id')} FROM ${schema}.jobs_live WHERE cancelling AND worker = me;`
}

/** A limited queue's row is locked for the rest of the turn: what is counted then is what counts. In the order of names, so that turns do not deadlock. */
function claims(schema: string, epoch: Epoch): string {
  return `
      -- jobs_queues_pkey
      PERFORM FROM ${schema}.jobs_queues AS q, unnest(want_queues, want_counts) AS w (name, count)
        WHERE q.name = w.name AND q.limited AND NOT q.paused AND w.count > 0 ORDER BY q.name FOR UPDATE OF q;
      FOR want IN
        -- jobs_queues_pkey
        SELECT w.name, w.count, q.limited FROM unnest(want_queues, want_counts) WITH ORDINALITY AS w (name, count, place)
          LEFT JOIN ${schema}.jobs_queues AS q ON q.name = w.name
        WHERE w.count > 0 AND q.paused IS NOT TRUE ORDER BY w.place
      LOOP
        IF want.limited THEN
          RETURN QUERY SELECT 'claimed', ${claimed(epoch)} FROM ${schema}.jobs_claim_limited_v1(me, want.name, want.count, moment);
        ELSE
          -- jobs_live_ready
          RETURN QUERY UPDATE ${schema}.jobs_live SET state = 'running', worker = me, attempt = attempt + 1, started_at = moment, progress = NULL
            WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${schema}.jobs_live WHERE queue = want.name AND state = 'available'
              ORDER BY priority, ready_at, seq LIMIT want.count FOR UPDATE SKIP LOCKED))
            RETURNING 'claimed', ${claimed(epoch)};
        END IF;
      END LOOP;
      -- jobs_live_pkey; after the claims, which may have given one back to it.
      RETURN QUERY SELECT 'lost', ${only('id', 'mine')} FROM unnest(believed) AS mine
        WHERE (SELECT CASE WHEN job.state = 'running' THEN job.worker = me END FROM ${schema}.jobs_live AS job WHERE job.id = mine) IS NOT TRUE;
      RETURN QUERY SELECT 'next', ${only('waited', `${schema}.jobs_next_v1(want_queues, moment)`)};`
}

/** Columns of the answer behind the first, and their types. */
const COLUMNS = {
  id: 'uuid',
  queue: 'text',
  kind: 'text',
  payload: 'text',
  priority: 'smallint',
  key: 'text',
  attempt: 'smallint',
  max_attempts: 'smallint',
  timeout: 'bigint',
  request_id: 'text',
  traceparent: 'text',
  waited: 'float8',
  has_children: 'boolean',
  since: 'float8',
  seq: 'bigint',
}

/** A row of the answer that says one thing, and leaves the other columns empty. */
function only(name: keyof typeof COLUMNS, value: string): string {
  return Object.entries(COLUMNS)
    .map(([column, type]) => (column === name ? value : `NULL::${type}`))
    .join(', ')
}
