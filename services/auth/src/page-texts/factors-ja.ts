import type { factors as english } from './factors-en.ts';

export const factors: typeof english = {
  factorTitle: 'あと一段階です',
  factorMeans: '{person} として続けるには、第二の要素でご本人であることを示してください。',
  factorUsePasskey: 'パスキーを使う',
  factorCode: '認証アプリに表示されている 6 桁の数字',
  factorUseRecovery: '回復コードを使う',
  factorRecoveryCode: '保管している回復コードのひとつ',
  factorLost: 'どれも手元にない場合は、組織の管理者が第二の要素をリセットできます。',
  factorWrong: 'コードが正しくありません。もう一度確認するか、次のコードをお待ちください。',
  factorUsed: 'このコードはすでに使われています。次のコードをお待ちください。',
  factorRecoveryWrong: 'コードが正しくないか、すでに使われています。もう一度確認するか、別のコードをお使いください。',
  factorLocked: '誤ったコードが多すぎます。15 分以上待つか、別の方法をお使いください。',
  factorPasskeyStopped: 'パスキーは受け付けられませんでした。もう一度試すか、別の方法をお使いください。',
  factorNeeded: '第二の要素が必要です',
  factorNeededMeans:
    '組織またはアプリケーションが、ご本人であることの証明を複数求めています。設定するものを選んでください。',
  factorEnrolTotp: '認証アプリを設定する',
  factorEnrolPasskey: 'パスキーを設定する',
  factorTotpMeans: 'この画像を認証アプリで読み取り、表示される 6 桁の数字を入力してください。',
  factorPicture: '認証アプリが読み取る画像',
  factorSecret: 'または、このキーをアプリに入力してください：',
  factorPasskeyMeans: 'パスキーは端末に保管され、使うときに指紋、顔、または端末のコードを求められます。',
  factorName: 'この端末の呼び名（任意）',
  factorNeedsScript:
    'このブラウザーにはパスキーがないか、スクリプトが無効です。別のブラウザーまたは端末をお使いください。',
  factorRecoveryTitle: '回復コードを保管してください',
  factorRecoveryMeans: '第二の要素をなくしたとき、それぞれのコードで一度だけ入れます。再び表示されることはありません。',
  factorRecoveryKept: '保管しました',
};
