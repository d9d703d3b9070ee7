import type { PageTexts } from './en.ts';
import { setup } from './setup-ja.ts';

export const ja: PageTexts = {
  signIn: 'サインイン',
  emailAtWork: '勤務先のメールアドレス',
  continue: '続ける',
  useShortName: '組織の短縮名を使う',
  shortName: '組織の短縮名',
  nothingThere: 'その名前のサインインはありません。つづりを確認するか、管理者にお問い合わせください。',
  nobodyKnows: 'そのアドレスのサインインはありません。つづりを確認するか、管理者にお問い合わせください。',
  signsYouInAt: '組織のサインインは {host} で行われます。',
  linkTitle: 'このサインインを連携しますか？',
  linkMeans:
    '{account} としてサインインしています。今後、{connection} に {person} としてサインインした人は、ここでもあなたとして扱われます。',
  linkOnly: 'ご本人の場合にのみ連携してください。',
  link: '連携する',
  linkNot: '連携しない',
  signOutTitle: 'サインアウトしますか',
  signOutMeans: 'ここでのセッションと、それを使用しているアプリケーションでのセッションが終了します。',
  signOut: 'サインアウト',
  staySignedIn: 'サインインしたままにする',
  signedOut: 'サインアウトしました',
  closeWindow: 'このウィンドウを閉じてかまいません。',
  deviceTitle: 'デバイスを接続',
  deviceCode: 'デバイスに表示されているコード',
  deviceUnknown:
    'このコードは見つからないか、期限切れです。デバイスに新しいコードが表示されていないか確認してください。',
  deviceConfirmTitle: 'あなたのデバイスですか？',
  deviceConfirmMeans:
    'デバイス上の {application} が、あなたとしてサインインしようとしています。デバイスには次のコードが表示されています。',
  deviceWarning:
    'そのデバイスが目の前にある場合だけ続けてください。メールや電話でこのコードを尋ねる人に教えてはいけません。',
  deviceConfirm: '自分のデバイスです。サインインする',
  deviceRefuse: '自分のデバイスではありません',
  deviceDone: 'デバイスがサインインしました',
  deviceStopped: 'デバイスはサインインしませんでした。',
  requestTitle: 'このリクエストは処理できませんでした',
  requestMeans: 'アプリケーションが、ここではできないことを要求しました。お客様の操作に問題はありません。',
  requestAction: 'アプリケーションに戻って、やり直してください。繰り返し起こる場合は、運営者にお知らせください。',
  technical: 'アプリケーションの運営者向け',
  ...setup,
};
