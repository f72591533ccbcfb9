import type { Migration } from '@tailwater/postgres'

/**
 * Has no plan of the functions compiled. Those that are told to leave out scans of whole tables cost a thousand million of the planner's units where there is no other way,
 * which a server with `jit` on, as PostgreSQL is by default, takes for a query of minutes: it compiled for 0.5 s what runs for 1 ms, at each sweep and in the first turns
 * of each connection.
 */
export const jobsUncompiledMigration: Migration = {
  version: 5,
  name: 'plans that are not compiled',
  up: (schema) => `
    DO $do$ DECLARE
      planned regprocedure;
    BEGIN
      FOR planned IN SELECT oid::regprocedure FROM pg_catalog.pg_proc WHERE pronamespace = $name$${schema}$name$::regnamespace
        AND proname LIKE 'jobs\\_%' AND 'enable_seqscan=off' = ANY (proconfig)
      LOOP
        EXECUTE format('ALTER FUNCTION %s SET jit = off', planned);
      END LOOP;
    END $do$;`,
}
