import type { ConsentTexts } from './consent-en.ts';

export const consent: ConsentTexts = {
  consentTitle: 'このアプリケーションを許可しますか？',
  consentMeans:
    '組織が設定していないアプリケーションが、あなたの名前でのアクセスを求めています。提供元のアドレスは次のとおりです。',
  consentCallsItself: '自称する名前',
  consentUnknown:
    'これが何であるかは、こちらでは確認していません。このアドレスの提供元を信頼できる場合にのみ許可してください。',
  consentAt: '{api} で求めていること：',
  consentOfYou: 'あなたについて求めている情報：',
  consentOpenid: 'あなた本人であること（アカウントの識別子）',
  consentProfile: '名前と言語',
  consentEmail: 'メールアドレス',
  consentOffline: '使用していない間も含め、サインインしている間のすべて',
  consentGoesTo: '許可すると、次へ進みます：',
  consentLoopback:
    '許可すると、アクセスはお使いのコンピューター上のプログラム（{host}）に渡されます。そのプログラムをたった今ご自分で起動した場合にのみ許可してください。',
  consentAs: '{organization} の {person} としてサインインしています。',
  consentAllow: '許可する',
  consentRefuse: '許可しない',
  consentUndo: 'アカウントのページでいつでも取り消せます。',
  consentChanged: 'アプリケーションが求める内容が変わりました。もう一度お読みください。',
  allowedTitle: '許可したアプリケーション',
  allowedMeans: 'こちらで設定したものではありません。使わないものは取り消してください。アクセスはすぐに終了します。',
  allowedWithdraw: '取り消す',
};
