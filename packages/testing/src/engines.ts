export type Engines = { kafka: string; mongodb: string };

/** Where the engines of this run are. Throws, with what to do, when there are none. */
export function engines(): Engines {
  const { REEVE_TEST_KAFKA: kafka, REEVE_TEST_MONGODB: mongodb } = process.env;
  if (kafka === undefined || mongodb === undefined)
    throw new Error('there is no Kafka and no MongoDB for this test: use `npm test`, which starts them');
  return { kafka, mongodb };
}
