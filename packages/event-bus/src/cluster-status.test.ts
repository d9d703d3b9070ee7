// What is made of a cluster's answers; the answers are those that kafkajs gives.
import { expect, test } from '@jest/globals';
import type { Admin } from 'kafkajs';
import { clusterStatus } from './cluster-status.ts';

const partition = (partitionId: number, { leader = 1, isr = [1, 2, 3] } = {}) => ({
  partitionId,
  leader,
  isr,
  replicas: [1, 2, 3],
  partitionErrorCode: 0,
});
const committed = (topic: string, ...offsets: string[]) => ({
  topic,
  partitions: offsets.map((offset, index) => ({ partition: index, offset, metadata: null })),
});

const answers = {
  describeCluster: async () => ({ brokers: [{}, {}] }),
  listTopics: async () => ['reeve.a.v1', 'reeve.b.v1', 'elsewhere'],
  fetchTopicMetadata: async ({ topics }: { topics: string[] }) => ({
    topics: topics.map(name => ({
      name,
      partitions:
        name === 'reeve.a.v1' ? [partition(0), partition(1, { leader: -1, isr: [] })] : [partition(0, { isr: [1, 3] })],
    })),
  }),
  fetchTopicOffsets: async (topic: string) =>
    (topic === 'reeve.a.v1' ? [10, 20] : [5]).map((high, index) => ({ partition: index, high: String(high) })),
  listGroups: async () => ({ groups: [{ groupId: 'behind' }, { groupId: 'there' }] }),
  fetchOffsets: async ({ groupId }: { groupId: string }) =>
    groupId === 'behind'
      ? [committed('reeve.a.v1', '7', '-1'), committed('elsewhere', '0')]
      : [committed('reeve.b.v1', '5')],
};

test('partitions without a leader or a replica are named, and groups that are behind on topics of ours', async () => {
  expect(await clusterStatus(answers as unknown as Admin, 'reeve.')).toEqual({
    brokers: 2,
    topics: 2,
    impaired: [
      { topic: 'reeve.a.v1', partition: 1, leader: null, replicas: 3, inSync: 0 },
      { topic: 'reeve.b.v1', partition: 0, leader: 1, replicas: 3, inSync: 2 },
    ],
    lag: [{ group: 'behind', topic: 'reeve.a.v1', messages: 3 }],
  });
});
