/** Codes of the errors this package throws; see docs/errors.md. */
export type TailwaterErrorCode =
  | 'E_OPTIONS'
  | 'E_DATA_DIR'
  | 'E_SECRET'
  | 'E_PORT_IN_USE'
  | 'E_PORT_FORBIDDEN'
  | 'E_BROKER_UNAVAILABLE'
  | 'E_MAIL'
  | 'E_PACKAGE_MISSING'
  | 'E_FILE_KEY'
  | 'E_FILE_NOT_FOUND'
  | 'E_CONFIG_FILE'
