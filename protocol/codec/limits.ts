/** A payload on the wire, deflated or not. */
export const MAX_WIRE_BYTES = 64 * 1024;

/** A payload once inflated. */
export const MAX_INFLATED_BYTES = 1024 * 1024;
