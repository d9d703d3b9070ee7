/**
 * Kills an engine and starts it again on the same data, when it takes requests. Null where it is not ours to kill. A
 * process is away until `whileAway` is over, a container for as long as it takes.
 */
type Restart = ((whileAway?: () => Promise<void>) => Promise<void>) | null;

export type Engines = {
  kafka: string;
  mongodb: string;
  restartKafka: Restart;
  restartMongodb: Restart;
  /** Rejects with a SetupError when an engine of ours ends by itself. */
  died: Promise<never>;
  stop(): Promise<void>;
};
