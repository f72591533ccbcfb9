/** Codes of the errors this package throws or answers; see docs/errors.md. */
export type DashboardErrorCode =
  | 'E_OPTIONS'
  | 'E_DASHBOARD_OPEN'
  | 'E_CREDENTIALS'
  | 'E_UNAUTHENTICATED'
  | 'E_FORBIDDEN'
  | 'E_CSRF'
  | 'E_JOB_STATE'
  | 'E_PASSWORD_CHANGE_REQUIRED'
  | 'E_PASSWORD_WEAK'
  | 'E_LOGIN_BUSY'
  | 'E_PAGE_NOT_BUILT'
